//! The store seen from outside, one file to a subject.

mod against_a_map;
mod changes;
mod eviction;
mod expiry;
mod fixture;
mod idempotency;
mod isolation;
mod listing;
mod memory;
mod putting_back;
mod quotas;
mod records;
mod sorting;
mod steps;
mod tombstones;
mod versions;
