//! What an allocation costs in memory. The memory limit is compared with sums of these figures, so they must not be
//! smaller than the truth: a node that counts only its payload is killed by the kernel first.

/// The allocator hands out sizes in steps: 16 bytes at first, then four steps for each doubling.
pub(super) fn allocated(bytes: usize) -> u64 {
    const STEP_MIN: u64 = 16;
    let bytes = bytes as u64;
    if bytes == 0 {
        return 0;
    }
    let step = if bytes <= 4 * STEP_MIN { STEP_MIN } else { (1 << (bytes - 1).ilog2()) / 4 };
    bytes.next_multiple_of(step)
}

/// By how much a full table of so many bytes grows for one more: it doubles, and has four places at first, each with a
/// byte beside it, and sixteen bytes behind them.
pub(super) fn table_growth<T>(table_bytes: usize) -> u64 {
    const BEHIND: usize = 16;
    match table_bytes {
        0 => allocated(4 * (size_of::<T>() + 1) + BEHIND),
        bytes => allocated((bytes - BEHIND) * 2 + BEHIND) - allocated(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn allocations_round_up_to_the_allocators_steps() {
        let cases = [(0, 0), (1, 16), (16, 16), (17, 32), (64, 64), (65, 80), (128, 128), (129, 160), (1025, 1280)];
        for (asked, taken) in cases {
            assert_eq!(allocated(asked), taken, "{asked} bytes");
        }
    }

    #[test]
    fn no_allocation_is_counted_below_its_size_or_wasteful_beyond_a_quarter() {
        for bytes in 65..10_000_usize {
            let taken = allocated(bytes);
            assert!(taken >= bytes as u64 && taken * 4 <= bytes as u64 * 5 + 4, "{bytes} → {taken}");
        }
    }
}
