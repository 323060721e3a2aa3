//! The store seen from outside, one file to a subject.

mod against_a_map;
mod expiry;
mod fixture;
mod listing;
mod memory;
mod versions;
