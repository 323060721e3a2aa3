//! What follows from the one number a user picks.

use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use crate::memory::{MemorySize, binary};

/// The figures of one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Memory request and limit.
    pub memory: MemorySize,
    pub cpu_request_millis: u64,
    pub cpu_limit_millis: u64,
    /// How much of the memory kvnode fills with data; the rest is for its tables, requests in flight and the
    /// allocator. kvnode computes the same figure from its cgroup; here it is only shown.
    pub data_limit_bytes: u64,
    /// Room on the node's disk for what kvnode keeps beside memory.
    pub storage_bytes: u64,
}

/// A node that serves little still has to answer probes and sweep expired keys.
const CPU_REQUEST_MILLIS_MIN: u64 = 250;
/// A store this large is bound by memory, not by CPU; more would only be harder to schedule.
const CPU_REQUEST_MILLIS_MAX: u64 = 2_000;
/// Bursts (a restart, a large listing) get a whole core however small the tenant is.
const CPU_LIMIT_MILLIS_MIN: u64 = 1_000;
/// Half a core per GiB.
const CPU_MILLIS_PER_GIB: u64 = 500;

impl Sizes {
    pub fn from_memory(memory: MemorySize) -> Self {
        let bytes = memory.bytes();
        let cpu_request_millis =
            ((bytes * CPU_MILLIS_PER_GIB) >> 30).clamp(CPU_REQUEST_MILLIS_MIN, CPU_REQUEST_MILLIS_MAX);
        Self {
            memory,
            cpu_request_millis,
            cpu_limit_millis: (2 * cpu_request_millis).max(CPU_LIMIT_MILLIS_MIN),
            data_limit_bytes: bytes / 5 * 4,
            storage_bytes: 2 * bytes,
        }
    }

    pub fn cpu_request(&self) -> Quantity {
        cpu(self.cpu_request_millis)
    }

    pub fn cpu_limit(&self) -> Quantity {
        cpu(self.cpu_limit_millis)
    }

    pub fn memory_quantity(&self) -> Quantity {
        Quantity(self.memory.to_string())
    }

    pub fn storage_quantity(&self) -> Quantity {
        Quantity(binary(self.storage_bytes))
    }
}

/// The way the API server writes CPU itself: whole cores without a suffix.
fn cpu(millis: u64) -> Quantity {
    Quantity(if millis.is_multiple_of(1_000) { (millis / 1_000).to_string() } else { format!("{millis}m") })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// F12, F28–F31: the table users plan their machines by.
    #[test]
    fn cpu_and_storage_follow_memory() {
        for (memory, request, limit, storage_gib) in [
            ("512Mi", "250m", "1", 1),
            ("1Gi", "500m", "1", 2),
            ("2Gi", "1", "2", 4),
            ("4Gi", "2", "4", 8),
            ("8Gi", "2", "4", 16),
        ] {
            let sizes = Sizes::from_memory(MemorySize::parse(memory).expect("a size of the table"));
            assert_eq!(sizes.cpu_request().0, request, "request of {memory}");
            assert_eq!(sizes.cpu_limit().0, limit, "limit of {memory}");
            assert_eq!(sizes.storage_bytes, storage_gib << 30, "storage of {memory}");
            assert_eq!(sizes.memory_quantity().0, memory);
        }
    }

    #[test]
    fn four_fifths_of_memory_may_be_data() {
        let sizes = Sizes::from_memory(MemorySize::parse("1000000000").expect("a size"));
        assert_eq!(sizes.data_limit_bytes, 800_000_000);
    }

    #[test]
    fn sizes_between_the_rows_are_proportional_and_the_ends_are_clamped() {
        for (memory, request) in [("64Mi", 250), ("768Mi", 375), ("1.5Gi", 750), ("1Ti", 2_000)] {
            assert_eq!(Sizes::from_memory(MemorySize::parse(memory).expect("a size")).cpu_request_millis, request);
        }
    }
}
