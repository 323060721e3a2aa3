//! PATCH from its public side: bodies and stored text in, new text or a sentence out.

mod against_others;
mod exact_text;
mod fixture;
mod hostile;
mod json_patch;
mod rfc6902;
mod rfc7396;
mod shallow;
