//! How much of the whole each node may have.

use crate::store::slot::PARTITIONS;

/// Of `total` copies by weight: whole numbers that add up to it, none above the number of partitions, because no node
/// holds a partition twice. Where what a node is due is not whole, whoever has the odd copy already keeps it.
pub(super) fn shares(weights: &[u32], total: usize, has: &[usize]) -> Vec<usize> {
    let mut shares: Vec<Option<usize>> = vec![None; weights.len()];
    // Whoever is due more than it can hold gets all it can, and the others share the rest.
    let (rest, weight) = loop {
        let open = || (0..weights.len()).filter(|&node| shares[node].is_none());
        let rest = total - shares.iter().flatten().sum::<usize>();
        let weight: u64 = open().map(|node| u64::from(weights[node])).sum();
        let full: Vec<usize> =
            open().filter(|&node| due(rest, weights[node], weight) > (PARTITIONS as u64, 0)).collect();
        if full.is_empty() {
            break (rest, weight);
        }
        for node in full {
            shares[node] = Some(PARTITIONS);
        }
    };
    let mut odd: Vec<(bool, u64, usize)> = Vec::new();
    let mut left = rest;
    for node in 0..weights.len() {
        if shares[node].is_none() {
            let (whole, part) = due(rest, weights[node], weight);
            let whole = usize::try_from(whole).expect("at most as many as there are partitions");
            shares[node] = Some(whole);
            left -= whole;
            if part > 0 {
                odd.push((has[node] > whole, part, node));
            }
        }
    }
    odd.sort_unstable_by(|one, other| other.cmp(one));
    odd.truncate(left);
    for (_, _, node) in odd {
        shares[node] = shares[node].map(|whole| whole + 1);
    }
    shares.into_iter().flatten().collect()
}

/// The whole copies that a node is due, and what is left of them in parts of `weight`.
fn due(rest: usize, own: u32, weight: u64) -> (u64, u64) {
    let parts = rest as u64 * u64::from(own);
    (parts / weight, parts % weight)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn equal_nodes_differ_by_one_at_most_and_keep_what_they_have() {
        assert_eq!(shares(&[1, 1, 1], 512, &[0, 0, 0]), [170, 171, 171]);
        assert_eq!(shares(&[1, 1, 1], 512, &[171, 171, 170]), [171, 171, 170]);
    }

    #[test]
    fn no_node_holds_a_partition_twice() {
        assert_eq!(shares(&[1, 1], 512, &[0, 0]), [256, 256]);
        assert_eq!(shares(&[10, 1, 1], 512, &[0, 0, 0]), [256, 128, 128]);
    }

    proptest! {
        #[test]
        fn shares_add_up_and_are_near_what_is_due(
            nodes in prop::collection::vec((1_u32..2000, 0_usize..300), 1..40),
            copies in 1_usize..6,
        ) {
            let (weights, has): (Vec<u32>, Vec<usize>) = nodes.into_iter().unzip();
            let total = copies.min(weights.len()) * PARTITIONS;
            let shares = shares(&weights, total, &has);
            prop_assert_eq!(shares.iter().sum::<usize>(), total);
            prop_assert!(shares.iter().all(|&share| share <= PARTITIONS));
            let open = || (0..weights.len()).filter(|&node| shares[node] < PARTITIONS);
            let weight: u64 = open().map(|node| u64::from(weights[node])).sum();
            let rest: u64 = open().map(|node| shares[node] as u64).sum();
            for node in open() {
                let parts = rest * u64::from(weights[node]);
                let share = shares[node] as u64;
                prop_assert!(share * weight <= parts + weight && parts <= share * weight + weight);
            }
        }
    }
}
