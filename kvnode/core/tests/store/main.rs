//! The store seen from outside, one file to a subject.

mod against_a_map;
mod changes;
mod eviction;
mod expiry;
mod fixture;
mod isolation;
mod listing;
mod memory;
mod sorting;
mod steps;
mod tombstones;
mod versions;
