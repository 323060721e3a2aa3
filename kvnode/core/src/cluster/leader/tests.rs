//! A leader with a handful of nodes, and whatever it proposes decided at once unless a test says otherwise.

use super::*;
use crate::cluster::configuration::{Node, NodeChange, PartitionConfiguration, Proposer};
use crate::cluster::lease::{Holder, LEASE, MARGIN};
use crate::cluster::member::Incarnation;
use crate::store::attributes::Version;

const TERM: Term = Term(3);
const PARTITION: PartitionNumber = PartitionNumber::new(7);
const WALL: UnixMillis = UnixMillis::new(1_800_000_000_000);
const POLICY: Policy = Policy { copies: 2, begins_with: 3, recreates: true };

fn member(number: u128, incarnation: u64) -> Member {
    Member { node: NodeId::new(number), incarnation: Incarnation::new(incarnation) }
}

struct Scene {
    configuration: Configuration,
    leader: Leader,
    now: u64,
}

impl Scene {
    /// Nodes 1 to `size` are registered and were heard of.
    fn new(size: u128, policy: Policy) -> Self {
        let mut scene = Self {
            configuration: Configuration::default(),
            leader: Leader::elected(TERM, policy, Uptime::new(0)),
            now: 0,
        };
        scene.leader.grantor().applied_own_entry();
        for number in 1..=size {
            scene.register(member(number, 1));
            scene.hear(member(number, 1)).expect("a good leader");
        }
        scene
    }

    fn register(&mut self, member: Member) {
        let node = Node::plain(member);
        self.decide(&Change::Node(NodeChange::Register { node, instead_of: None }));
    }

    fn now(&self) -> Uptime {
        Uptime::new(self.now)
    }

    fn hear(&mut self, member: Member) -> Result<Grant, NoGrant> {
        let now = self.now();
        self.leader.grantor().confirmed_since(now);
        self.leader.asked(Holder::default().ask(now), member, &self.configuration, 1, now)
    }

    /// Time in which everybody but these is heard of.
    fn pass(&mut self, milliseconds: u64, silent: &[Member]) {
        for _ in 0..milliseconds / 100 {
            self.now += 100;
            let now = self.now();
            self.leader.grantor().confirmed_since(now);
            let nodes: Vec<Member> = self.configuration.nodes().iter().map(|node| node.member).collect();
            for member in nodes.into_iter().filter(|member| !silent.contains(member)) {
                let _ = self.hear(member);
            }
        }
    }

    fn wishes(&mut self) -> Vec<Change> {
        let now = self.now();
        self.leader.ticked(&self.configuration, now, WALL)
    }

    fn decide(&mut self, change: &Change) {
        self.configuration.apply(Proposer::Leader(TERM), TERM, change).expect("a good change");
    }

    fn decide_all(&mut self) {
        for change in self.wishes() {
            self.decide(&change);
        }
    }

    fn begun(size: u128, policy: Policy) -> Self {
        let mut scene = Self::new(size, policy);
        scene.decide_all();
        scene.decide_all();
        scene
    }

    fn partition(&self) -> &PartitionConfiguration {
        self.configuration.partition(PARTITION)
    }

    /// What is wished for our partition.
    fn wish(&mut self) -> Option<PartitionChange> {
        self.wishes().into_iter().find_map(|change| match change {
            Change::Partition { partition, change, .. } if partition == PARTITION => Some(change),
            _ => None,
        })
    }
}

#[test]
fn a_new_cluster_begins_when_enough_nodes_are_there_and_each_partition_has_its_copies() {
    let mut scene = Scene::new(2, POLICY);
    assert_eq!(scene.wishes(), [], "one is missing");
    scene.register(member(3, 1));
    scene.hear(member(3, 1)).expect("a good leader");
    scene.decide_all();
    scene.decide_all();
    for (_, partition) in scene.configuration.partitions() {
        assert_eq!((partition.isr().len(), partition.joining()), (2, None));
    }
    assert_eq!(scene.wishes(), [], "there is nothing more to wish for");
}

#[test]
fn a_silent_primary_is_given_up_when_its_lease_is_over_and_gets_none_meanwhile() {
    let mut scene = Scene::begun(3, POLICY);
    scene.pass(2000, &[]);
    let [primary, backup] = *scene.partition().isr() else { panic!("there are two copies") };
    scene.pass(1000, &[primary]);
    assert_eq!(scene.wish(), None, "its lease lasts still");
    scene.pass(100, &[primary]);
    assert_eq!(scene.wish(), Some(PartitionChange::TakeOver { to: backup }));
    assert_eq!(scene.hear(primary), Err(NoGrant::Evicting));
    scene.pass(200, &[primary]);
    assert_eq!(scene.wish(), None, "it is proposed already");
    scene.pass(200, &[primary]);
    assert_eq!(scene.wish(), Some(PartitionChange::TakeOver { to: backup }), "perhaps nobody has heard it");
    for (partition, state) in scene.configuration.clone().partitions() {
        if state.primary() == Some(primary) {
            let change = PartitionChange::TakeOver { to: state.isr()[1] };
            scene.decide(&Change::Partition { partition, number: state.number(), change });
        }
    }
    assert_eq!(scene.wish(), Some(PartitionChange::SetJoining(primary)), "it has spoken, so it may have a copy again");
    scene.hear(primary).expect("it was decided");
}

#[test]
fn a_new_leader_gives_up_nobody_before_its_predecessors_leases_are_over() {
    let mut scene = Scene::begun(3, POLICY);
    let primary = scene.partition().primary().expect("it was made");
    let (end, now) = (LEASE + MARGIN, scene.now());
    scene.leader = Leader::elected(TERM, POLICY, now);
    scene.leader.grantor().applied_own_entry();
    scene.pass(u64::try_from(end.as_millis()).expect("a second") - 50, &[primary]);
    assert_eq!(scene.wish(), None);
    scene.pass(100, &[primary]);
    assert!(matches!(scene.wish(), Some(PartitionChange::TakeOver { .. })));
}

#[test]
fn a_primary_that_has_begun_anew_is_given_up_at_once() {
    let mut scene = Scene::begun(3, POLICY);
    scene.pass(2000, &[]);
    let [primary, backup] = *scene.partition().isr() else { panic!("there are two copies") };
    let newer = Member { incarnation: Incarnation::new(2), ..primary };
    assert_eq!(scene.hear(newer), Err(NoGrant::NotRegistered));
    assert_eq!(scene.wish(), Some(PartitionChange::TakeOver { to: backup }));
}

#[test]
fn whoever_comes_back_joins_and_a_joiner_that_is_gone_or_takes_nothing_makes_room() {
    let mut scene = Scene::begun(2, Policy { begins_with: 2, ..POLICY });
    scene.pass(2000, &[]);
    let [_, backup] = *scene.partition().isr() else { panic!("there are two copies") };
    let newer = Member { incarnation: Incarnation::new(2), ..backup };
    scene.register(newer);
    scene.pass(100, &[]);
    // The primary sees that it is gone.
    let Scene { configuration, .. } = &mut scene;
    let state = configuration.partition(PARTITION).clone();
    let change =
        Change::Partition { partition: PARTITION, number: state.number(), change: PartitionChange::Remove(backup) };
    configuration.apply(Proposer::Member(state.isr()[0]), TERM, &change).expect("its own to make");
    assert_eq!(scene.wish(), Some(PartitionChange::SetJoining(newer)));
    let number = scene.partition().number();
    scene.decide(&Change::Partition { partition: PARTITION, number, change: PartitionChange::SetJoining(newer) });
    let number = scene.partition().number();
    for taken in 0..4 {
        let now = scene.now();
        scene.leader.heard_of_join(PARTITION, number, taken, now);
        scene.pass(20_000, &[]);
        assert_eq!(scene.wish(), None, "it goes on");
    }
    let now = scene.now();
    scene.leader.heard_of_join(PARTITION, number, 3, now);
    scene.pass(11_000, &[]);
    assert_eq!(scene.wish(), Some(PartitionChange::ClearJoining), "it has stalled");
}

#[test]
fn a_partition_is_lost_when_every_life_in_sync_is_over_and_not_when_all_are_silent() {
    for recreates in [true, false] {
        let mut scene = Scene::begun(3, Policy { recreates, ..POLICY });
        scene.pass(2000, &[]);
        let [primary, backup] = *scene.partition().isr() else { panic!("there are two copies") };
        scene.pass(10_000, &[primary, backup]);
        assert_eq!(scene.wish(), None, "they may come back");
        for old in [primary, backup] {
            scene.register(Member { incarnation: Incarnation::new(2), ..old });
        }
        scene.pass(100, &[]);
        let wish = scene.wish();
        let Some(PartitionChange::Recreate { floor, .. }) = wish else {
            assert!(!recreates && wish.is_none(), "{wish:?}");
            continue;
        };
        assert!(recreates);
        assert_eq!(floor, Version::new(1_800_000_000 << 20), "above whatever was counted before");
    }
}
