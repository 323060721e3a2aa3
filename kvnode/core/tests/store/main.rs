//! The store seen from outside, one file to a subject.

mod expiry;
mod fixture;
mod listing;
mod memory;
mod versions;
