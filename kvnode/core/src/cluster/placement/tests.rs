use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

fn node(number: usize) -> NodeId {
    // As ids are: nothing about them is in an order.
    NodeId::new((number as u128 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835))
}

fn candidates(weights: &[u32]) -> Vec<Candidate> {
    weights.iter().enumerate().map(|(number, &weight)| Candidate { node: node(number), weight, zone: None }).collect()
}

fn equal(count: usize) -> Vec<Candidate> {
    candidates(&vec![1; count])
}

fn in_zones(zones: &[&str]) -> Vec<Candidate> {
    let zoned = |(candidate, zone): (Candidate, &&str)| Candidate { zone: Some((*zone).into()), ..candidate };
    equal(zones.len()).into_iter().zip(zones).map(zoned).collect()
}

fn loads(placement: &Placement, candidates: &[Candidate]) -> Vec<usize> {
    let load = |one: &Candidate| placement.iter().filter(|nodes| nodes.contains(&one.node)).count();
    candidates.iter().map(load).collect()
}

fn primaries(placement: &Placement, candidates: &[Candidate]) -> Vec<usize> {
    let load = |one: &Candidate| placement.iter().filter(|nodes| nodes.first() == Some(&one.node)).count();
    candidates.iter().map(load).collect()
}

/// Copies that have to be fetched.
fn moved(before: &Placement, after: &Placement) -> usize {
    let new = |(before, after): (&[NodeId], &[NodeId])| after.iter().filter(|node| !before.contains(node)).count();
    before.iter().zip(after.iter()).map(new).sum()
}

fn differ_by_one(numbers: &[usize]) -> bool {
    numbers.iter().max().zip(numbers.iter().min()).is_some_and(|(max, min)| max - min <= 1)
}

fn is_sound(placement: &Placement, candidates: &[Candidate], copies: usize) -> bool {
    let usable: BTreeSet<NodeId> =
        candidates.iter().filter(|candidate| candidate.weight > 0).map(|candidate| candidate.node).collect();
    placement.iter().all(|nodes| {
        let distinct: BTreeSet<NodeId> = nodes.iter().copied().collect();
        nodes.len() == copies.min(usable.len()) && distinct.len() == nodes.len() && distinct.is_subset(&usable)
    })
}

/// Copies that have a neighbour in their zone.
fn crowded(placement: &Placement, candidates: &[Candidate]) -> usize {
    let zone = |node: &NodeId| &candidates.iter().find(|one| one.node == *node).expect("a candidate").zone;
    placement.iter().filter(|nodes| nodes.iter().map(zone).collect::<BTreeSet<_>>().len() < nodes.len()).count()
}

#[test]
fn equal_nodes_hold_and_lead_as_many_partitions_give_or_take_one() {
    for count in 1..=12 {
        for copies in 1..=3 {
            let nodes = equal(count);
            let placement = Placement::empty().onto(&nodes, copies);
            assert!(is_sound(&placement, &nodes, copies));
            assert!(differ_by_one(&loads(&placement, &nodes)), "{count} nodes, {copies} copies");
            assert!(differ_by_one(&primaries(&placement, &nodes)), "{count} nodes, {copies} copies");
        }
    }
}

#[test]
fn a_node_that_joins_or_leaves_moves_its_share_and_one_more_at_most() {
    for copies in 1..=3 {
        let mut placement = Placement::empty().onto(&equal(copies), copies);
        for count in copies + 1..=12 {
            let next = placement.onto(&equal(count), copies);
            let share = copies * PARTITIONS / count;
            assert!(moved(&placement, &next) <= share + 1, "{count} nodes, {copies} copies");
            placement = next;
        }
        for count in (copies..12).rev() {
            let next = placement.onto(&equal(count), copies);
            let share = copies * PARTITIONS / (count + 1);
            let moved = moved(&placement, &next);
            assert!(moved <= share + 1, "{count} nodes, {copies} copies: {moved}, and the share is {share}");
            placement = next;
        }
    }
}

#[test]
fn copies_are_in_different_zones_where_there_are_as_many() {
    for zones in [&["a", "b"][..], &["a", "b", "c"], &["a", "a", "b", "b", "c", "c"], &["a", "b", "c", "a", "b"]] {
        let nodes = in_zones(zones);
        let placement = Placement::empty().onto(&nodes, 2);
        assert_eq!(crowded(&placement, &nodes), 0, "{zones:?}");
        assert!(differ_by_one(&loads(&placement, &nodes)), "{zones:?}");
    }
    let nodes = in_zones(&["a", "a", "a"]);
    assert!(is_sound(&Placement::empty().onto(&nodes, 2), &nodes, 2), "a single zone is better than none");
}

#[test]
fn nobody_at_all_and_nodes_without_weight_hold_nothing() {
    assert_eq!(Placement::empty().onto(&[], 2), Placement::empty());
    let nodes = candidates(&[1, 0, 1]);
    let placement = Placement::empty().onto(&nodes, 3);
    assert_eq!(loads(&placement, &nodes), [256, 0, 256]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// A life of joins, leaves and new weights.
    #[test]
    fn whatever_comes_and_goes_shares_are_kept_and_no_more_is_moved_than_they_demand(
        steps in prop::collection::vec((prop::collection::vec((0_usize..9, 1_u32..4), 1..9), 1_usize..4), 1..6),
    ) {
        let mut placement = Placement::empty();
        for (named, copies) in steps {
            let mut nodes: Vec<Candidate> = Vec::new();
            for (number, weight) in named {
                if nodes.iter().all(|one| one.node != node(number)) {
                    nodes.push(Candidate { node: node(number), weight, zone: None });
                }
            }
            let next = placement.onto(&nodes, copies);
            prop_assert!(is_sound(&next, &nodes, copies));
            prop_assert_eq!(&next, &next.onto(&nodes, copies), "once more changes nothing");
            let mut reversed = nodes.clone();
            reversed.reverse();
            prop_assert_eq!(&next, &placement.onto(&reversed, copies), "their order says nothing");
            placement = next;
        }
    }
}
