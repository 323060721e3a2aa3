//! Who may change what, and what no sequence of changes can bring about.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::cluster::member::{Incarnation, NodeName};
use crate::store::attributes::Version;

const TERM: Term = Term(3);
const LEADER: Proposer = Proposer::Leader(TERM);
const PARTITION: PartitionNumber = PartitionNumber::new(7);

fn member(node: u128, incarnation: u64) -> Member {
    Member { node: NodeId::new(node), incarnation: Incarnation::new(incarnation) }
}

fn node(member: Member) -> Node {
    Node {
        member,
        name: NodeName::new(format!("cart-{}", member.node.get())),
        address: "10.0.0.1:7000".into(),
        zone: None,
        weight: 1,
        state: NodeState::Active,
    }
}

fn register(member: Member) -> Change {
    Change::Node(NodeChange::Register { node: node(member), instead_of: None })
}

/// Three nodes in their first lives.
fn three() -> Configuration {
    let mut configuration = Configuration::default();
    for number in 1..=3 {
        configuration.apply(LEADER, TERM, &register(member(number, 1))).expect("nobody has its name or id");
    }
    configuration
}

/// And a partition that the first two hold.
fn held() -> Configuration {
    let mut configuration = three();
    let make = PartitionChange::Make { members: vec![member(1, 1), member(2, 1)] };
    change(&mut configuration, LEADER, make).expect("they are registered");
    configuration
}

fn change(configuration: &mut Configuration, proposer: Proposer, change: PartitionChange) -> Result<(), Rejection> {
    let number = configuration.partition(PARTITION).number();
    configuration.apply(proposer, TERM, &Change::Partition { partition: PARTITION, number, change })
}

fn by(member: Member) -> Proposer {
    Proposer::Member(member)
}

fn isr(configuration: &Configuration) -> Vec<Member> {
    configuration.partition(PARTITION).isr().to_vec()
}

#[test]
fn a_partition_is_made_once_with_registered_members_at_epoch_1() {
    let mut configuration = three();
    let make = |members: &[Member]| PartitionChange::Make { members: members.to_vec() };
    assert_eq!(change(&mut configuration, LEADER, make(&[])), Err(Rejection::Nobody));
    let stranger = member(9, 1);
    assert_eq!(change(&mut configuration, LEADER, make(&[stranger])), Err(Rejection::NotRegistered(stranger)));
    let twice = member(1, 1);
    assert_eq!(change(&mut configuration, LEADER, make(&[twice, twice])), Err(Rejection::InSync(twice)));
    change(&mut configuration, LEADER, make(&[member(1, 1), member(2, 1)])).expect("good");
    let partition = configuration.partition(PARTITION);
    assert_eq!((partition.primary(), partition.epoch()), (Some(member(1, 1)), Epoch::new(1)));
    assert_eq!(change(&mut configuration, LEADER, make(&[member(3, 1)])), Err(Rejection::Made));
}

#[test]
fn a_change_based_on_an_older_number_is_refused() {
    let mut configuration = held();
    let abort = |number| Change::Partition { partition: PARTITION, number, change: PartitionChange::Abort };
    configuration.apply(by(member(1, 1)), TERM, &abort(1)).expect("it is the number");
    let again = configuration.apply(by(member(1, 1)), TERM, &abort(1));
    assert_eq!(again, Err(Rejection::Outdated { based_on: 1, number: 2 }));
}

#[test]
fn a_leaders_change_is_good_in_its_term_only() {
    let mut configuration = three();
    let refused = configuration.apply(Proposer::Leader(Term(2)), TERM, &register(member(4, 1)));
    assert_eq!(refused, Err(Rejection::OtherTerm { of: Term(2), now: TERM }));
}

#[test]
fn the_primary_removes_and_adds_and_nobody_else_does() {
    let mut configuration = held();
    let (primary, backup, third) = (member(1, 1), member(2, 1), member(3, 1));
    for stranger in [LEADER, by(backup), by(third), by(member(1, 2))] {
        assert_eq!(change(&mut configuration, stranger, PartitionChange::Remove(backup)), Err(Rejection::NotAllowed));
    }
    assert_eq!(
        change(&mut configuration, by(primary), PartitionChange::Remove(primary)),
        Err(Rejection::IsPrimary(primary)),
        "whoever serves is in sync with itself"
    );
    change(&mut configuration, by(primary), PartitionChange::Remove(backup)).expect("it is a backup");
    assert_eq!(isr(&configuration), [primary]);

    assert_eq!(
        change(&mut configuration, by(primary), PartitionChange::Add(third)),
        Err(Rejection::NotJoining(third)),
        "the leader says who joins"
    );
    assert_eq!(change(&mut configuration, by(primary), PartitionChange::SetJoining(third)), Err(Rejection::NotAllowed));
    change(&mut configuration, LEADER, PartitionChange::SetJoining(third)).expect("it is registered");
    assert_eq!(change(&mut configuration, LEADER, PartitionChange::Add(third)), Err(Rejection::NotAllowed));
    change(&mut configuration, by(primary), PartitionChange::Add(third)).expect("it was joining");
    assert_eq!(isr(&configuration), [primary, third]);
    assert_eq!(configuration.partition(PARTITION).joining(), None);
}

#[test]
fn a_take_over_raises_the_epoch_and_puts_the_old_primary_out() {
    let mut configuration = held();
    let (old, new, third) = (member(1, 1), member(2, 1), member(3, 1));
    change(&mut configuration, LEADER, PartitionChange::SetJoining(third)).expect("it is registered");
    let take_over = |to| PartitionChange::TakeOver { to };
    assert_eq!(change(&mut configuration, by(new), take_over(new)), Err(Rejection::NotAllowed));
    assert_eq!(change(&mut configuration, LEADER, take_over(third)), Err(Rejection::NotInSync(third)));
    assert_eq!(change(&mut configuration, LEADER, take_over(old)), Err(Rejection::IsPrimary(old)));
    change(&mut configuration, LEADER, take_over(new)).expect("it is in sync");
    let partition = configuration.partition(PARTITION);
    assert_eq!((partition.isr(), partition.epoch()), (&[new][..], Epoch::new(2)));
    assert_eq!(partition.joining(), None, "a join is of one epoch");
    assert_eq!(partition.role_of(old), None);
}

#[test]
fn a_hand_over_keeps_the_old_primary_in_sync() {
    let mut configuration = held();
    let (old, new) = (member(1, 1), member(2, 1));
    change(&mut configuration, by(old), PartitionChange::HandOver { to: new }).expect("it is in sync");
    assert_eq!(isr(&configuration), [new, old]);
    assert_eq!(configuration.partition(PARTITION).epoch(), Epoch::new(2));
    assert_eq!(
        change(&mut configuration, by(old), PartitionChange::Abort),
        Err(Rejection::NotAllowed),
        "it is no longer its to say"
    );
}

#[test]
fn another_life_of_a_node_is_another_member() {
    let mut configuration = held();
    configuration.apply(LEADER, TERM, &register(member(2, 2))).expect("it is newer");
    let older = configuration.apply(LEADER, TERM, &register(member(2, 1)));
    assert_eq!(older, Err(Rejection::NotNewer { known: member(2, 2), offered: member(2, 1) }));
    let gone = member(2, 1);
    for to in [PartitionChange::HandOver { to: gone }, PartitionChange::TakeOver { to: gone }] {
        let proposer = if matches!(to, PartitionChange::HandOver { .. }) { by(member(1, 1)) } else { LEADER };
        assert_eq!(change(&mut configuration, proposer, to), Err(Rejection::NotRegistered(gone)));
    }
    let new = member(2, 2);
    assert_eq!(
        change(&mut configuration, LEADER, PartitionChange::TakeOver { to: new }),
        Err(Rejection::NotInSync(new)),
        "it may have lost everything"
    );
    let readmit = |old, new| PartitionChange::Readmit { old, new };
    assert!(change(&mut configuration, LEADER, readmit(gone, member(3, 1))).is_err(), "another node is another disk");
    change(&mut configuration, LEADER, readmit(gone, new)).expect("its disk has all");
    assert_eq!(isr(&configuration), [member(1, 1), new]);
    assert_eq!(configuration.partition(PARTITION).epoch(), Epoch::new(1), "the primary is the same");
    configuration.apply(LEADER, TERM, &register(member(1, 5))).expect("it is newer");
    change(&mut configuration, LEADER, readmit(member(1, 1), member(1, 5))).expect("its disk has all");
    assert_eq!(configuration.partition(PARTITION).epoch(), Epoch::new(2), "another life is another primary");
}

#[test]
fn nothing_is_given_up_while_anybody_may_still_have_it() {
    let floor = Version::new(1 << 20);
    for (begin, alone) in [
        (PartitionChange::Recreate { primary: member(3, 1), floor }, member(3, 1)),
        (PartitionChange::Recover { primary: member(2, 2), floor }, member(2, 2)),
    ] {
        let mut configuration = held();
        configuration.apply(LEADER, TERM, &register(member(2, 2))).expect("it is newer");
        let there = Err(Rejection::StillThere(member(1, 1)));
        assert_eq!(change(&mut configuration, LEADER, begin.clone()), there, "one is silent, perhaps");
        configuration.apply(LEADER, TERM, &register(member(1, 2))).expect("it is newer");
        change(&mut configuration, LEADER, begin).expect("all are over");
        let partition = configuration.partition(PARTITION);
        assert_eq!((partition.isr(), partition.epoch(), partition.floor()), (&[alone][..], Epoch::new(2), floor));
    }
    let mut configuration = held();
    for number in 1..=2 {
        configuration.apply(LEADER, TERM, &register(member(number, 2))).expect("it is newer");
    }
    let other = member(3, 1);
    let recover = PartitionChange::Recover { primary: other, floor };
    assert_eq!(
        change(&mut configuration, LEADER, recover),
        Err(Rejection::NotInSync(other)),
        "other copies never count"
    );
}

#[test]
fn a_name_is_one_nodes_and_a_node_that_left_does_not_come_back() {
    let mut configuration = three();
    let named = |member: Member, name: &str, instead_of: Option<u128>| {
        let node = Node { name: NodeName::new(name), ..node(member) };
        Change::Node(NodeChange::Register { node, instead_of: instead_of.map(NodeId::new) })
    };
    let refused = configuration.apply(LEADER, TERM, &named(member(8, 1), "cart-2", None));
    assert_eq!(refused, Err(Rejection::NameTaken { name: NodeName::new("cart-2"), node: NodeId::new(2) }));
    configuration.apply(LEADER, TERM, &named(member(8, 1), "cart-2", Some(2))).expect("the old one is over");
    assert!(configuration.nodes().is_over(member(2, 1)));
    let back = configuration.apply(LEADER, TERM, &named(member(2, 7), "cart-9", None));
    assert_eq!(back, Err(Rejection::Retired(NodeId::new(2))));

    let remove = Change::Node(NodeChange::Remove(NodeId::new(3)));
    assert_eq!(configuration.apply(LEADER, TERM, &remove), Err(Rejection::NotLeaving(NodeId::new(3))));
    configuration.apply(LEADER, TERM, &Change::Node(NodeChange::Leave(NodeId::new(3)))).expect("it is known");
    change(&mut configuration, LEADER, PartitionChange::Make { members: vec![member(3, 1)] }).expect("registered");
    let refused = configuration.apply(LEADER, TERM, &remove);
    assert_eq!(refused, Err(Rejection::StillHolds { node: NodeId::new(3), partition: PARTITION }));
}

fn any_member() -> impl Strategy<Value = Member> {
    (1_u128..5, 1_u64..4).prop_map(|(node, incarnation)| member(node, incarnation))
}

fn any_change() -> impl Strategy<Value = Change> {
    let floor = (0_u64..1 << 30).prop_map(Version::new);
    let of_partition = prop_oneof![
        prop::collection::vec(any_member(), 0..4).prop_map(|members| PartitionChange::Make { members }),
        any_member().prop_map(PartitionChange::Remove),
        any_member().prop_map(PartitionChange::Add),
        any_member().prop_map(|to| PartitionChange::HandOver { to }),
        Just(PartitionChange::Abort),
        any_member().prop_map(|to| PartitionChange::TakeOver { to }),
        any_member().prop_map(PartitionChange::SetJoining),
        Just(PartitionChange::ClearJoining),
        (any_member(), any_member()).prop_map(|(old, new)| PartitionChange::Readmit { old, new }),
        (any_member(), floor.clone()).prop_map(|(primary, floor)| PartitionChange::Recover { primary, floor }),
        (any_member(), floor).prop_map(|(primary, floor)| PartitionChange::Recreate { primary, floor }),
    ];
    prop_oneof![
        3 => any_member().prop_map(register),
        1 => (1_u128..5).prop_map(|node| Change::Node(NodeChange::Leave(NodeId::new(node)))),
        1 => (1_u128..5).prop_map(|node| Change::Node(NodeChange::Remove(NodeId::new(node)))),
        12 => of_partition.prop_map(|change| Change::Partition { partition: PARTITION, number: 0, change }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// I1, I7, I8
    #[test]
    fn whatever_is_proposed_an_epoch_has_one_primary_and_only_registered_members_are_installed(
        proposals in prop::collection::vec((any_change(), prop::option::of(any_member()), 0_u64..10), 1..120),
    ) {
        let mut configuration = three();
        let mut primaries: BTreeMap<Epoch, Member> = BTreeMap::new();
        for (mut proposal, member, behind) in proposals {
            let before = configuration.clone();
            if let Change::Partition { number, .. } = &mut proposal {
                // Mostly on time.
                *number = before.partition(PARTITION).number().saturating_sub(behind / 9);
            }
            let proposer = member.map_or(LEADER, Proposer::Member);
            let made = configuration.apply(proposer, TERM, &proposal);
            if made.is_err() {
                prop_assert_eq!(&before, &configuration, "a refused change changes nothing");
                continue;
            }
            let (old, new) = (before.partition(PARTITION), configuration.partition(PARTITION));
            if matches!(proposal, Change::Partition { .. }) {
                prop_assert_eq!(new.number(), old.number() + 1);
            }
            prop_assert!(new.epoch() >= old.epoch() && new.floor() >= old.floor());
            prop_assert!(old.isr().is_empty() || !new.isr().is_empty(), "a partition is never nobody's again");
            if let Some(primary) = new.primary() {
                prop_assert_eq!(*primaries.entry(new.epoch()).or_insert(primary), primary, "one primary in {:?}", new.epoch());
            }
            for (place, member) in new.isr().iter().enumerate() {
                prop_assert!(!new.isr()[..place].contains(member), "nobody is in sync twice");
                let installed = !old.isr().contains(member);
                prop_assert!(!installed || configuration.nodes().is_registered(*member));
            }
            if let Some(joining) = new.joining() {
                prop_assert!(new.role_of(joining) == Some(Role::Joining), "who joins is not in sync");
            }
            for member in old.isr().iter().filter(|member| !new.isr().contains(member)) {
                let readmitted = new.isr().iter().any(|other| other.node == member.node);
                let is_over = configuration.nodes().is_over(*member);
                prop_assert!(new.isr().iter().any(|other| old.isr().contains(other)) || is_over || readmitted,
                    "somebody who was in sync is left, or all are over");
            }
        }
    }
}
