//! The group over a network in memory, and over real files.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use kvnode_core::cluster::configuration::{Node, NodeChange, NodeState, Term};
use kvnode_core::cluster::member::{Incarnation, Member, NodeId, NodeName};
use tempfile::TempDir;

use super::*;

/// Nothing in here takes longer on a machine that is merely busy.
const SOON: Duration = Duration::from_secs(30);

/// Everybody in one process; what they say goes through its bytes.
#[derive(Default)]
struct Hall {
    groups: Mutex<BTreeMap<u128, Group>>,
    /// Who hears and says nothing.
    cut_off: Mutex<BTreeSet<u128>>,
}

struct Seat {
    me: u128,
    hall: Arc<Hall>,
}

impl Exchange for Seat {
    fn ask(&self, node: u128, ask: Ask, _: Duration) -> Replying {
        let cut_off = self.hall.cut_off.lock().expect("no panic");
        let is_cut_off = cut_off.contains(&node) || cut_off.contains(&self.me);
        let group = self.hall.groups.lock().expect("no panic").get(&node).cloned();
        let bytes = postcard::to_stdvec(&ask).expect("it can be written");
        Box::pin(async move {
            let group = group.filter(|_| !is_cut_off).ok_or(Unheard)?;
            let reply = group.answer(postcard::from_bytes(&bytes).expect("it can be read")).await;
            let bytes = postcard::to_stdvec(&reply).expect("it can be written");
            Ok(postcard::from_bytes(&bytes).expect("it can be read"))
        })
    }
}

#[derive(Debug, Default)]
struct Notes(Mutex<Known>);

impl Learner for Notes {
    fn learned(&self, known: &Known, _: Changed) {
        let mut noted = self.0.lock().expect("no panic");
        assert!(known.index >= noted.index, "entries come in their order");
        *noted = known.clone();
    }
}

struct Cast {
    hall: Arc<Hall>,
    folders: BTreeMap<u128, TempDir>,
    notes: BTreeMap<u128, Arc<Notes>>,
}

impl Cast {
    async fn of(nodes: std::ops::RangeInclusive<u128>) -> Self {
        let mut cast = Self { hall: Arc::default(), folders: BTreeMap::new(), notes: BTreeMap::new() };
        for node in nodes {
            cast.folders.insert(node, tempfile::tempdir().expect("a folder"));
            cast.begin(node).await;
        }
        cast
    }

    async fn begin(&mut self, node: u128) {
        let notes = Arc::new(Notes::default());
        let seat = Arc::new(Seat { me: node, hall: Arc::clone(&self.hall) });
        let learner: Arc<dyn Learner> = Arc::<Notes>::clone(&notes);
        let group = start(node, self.folders[&node].path(), seat, learner, Clock::default()).await.expect("good files");
        self.hall.groups.lock().expect("no panic").insert(node, group);
        self.notes.insert(node, notes);
    }

    async fn end(&mut self, node: u128) {
        let group = self.hall.groups.lock().expect("no panic").remove(&node).expect("it was begun");
        group.raft().shutdown().await.expect("it ends");
    }

    fn group(&self, node: u128) -> Group {
        self.hall.groups.lock().expect("no panic")[&node].clone()
    }

    fn known(&self, node: u128) -> Known {
        self.notes[&node].0.lock().expect("no panic").clone()
    }

    /// The leader, once all but these agree on one.
    async fn leader(&self, without: &[u128]) -> u128 {
        let wait = async {
            loop {
                let groups: Vec<Group> = self
                    .hall
                    .groups
                    .lock()
                    .expect("no panic")
                    .iter()
                    .filter(|(node, _)| !without.contains(node))
                    .map(|(_, group)| group.clone())
                    .collect();
                let leaders: BTreeSet<Option<u128>> =
                    groups.iter().map(|group| group.raft().metrics().borrow().current_leader).collect();
                if let (1, Some(Some(leader))) = (leaders.len(), leaders.first())
                    && !without.contains(leader)
                {
                    return *leader;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(SOON, wait).await.expect("there is a leader in time")
    }

    async fn until(&self, node: u128, holds: impl Fn(&Known) -> bool) {
        let wait = async {
            while !holds(&self.known(node)) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(SOON, wait).await.expect("it knows in time");
    }
}

fn registration(number: u64, term: u64) -> Proposal {
    let member = Member { node: NodeId::new(u128::from(number)), incarnation: Incarnation::new(1) };
    let node = Node {
        member,
        name: NodeName::new(format!("n-{number}")),
        address: "127.0.0.1:7400".into(),
        zone: None,
        weight: 1,
        state: NodeState::Active,
    };
    let change = Change::Node(NodeChange::Register { node, instead_of: None });
    Proposal { proposer: Proposer::Leader(Term(term)), change }
}

/// By whoever leads without these; the machine may be so busy that this is another soon.
async fn propose(cast: &Cast, without: &[u128], number: u64) {
    let wait = async {
        loop {
            let group = cast.group(cast.leader(without).await);
            let term = group.raft().metrics().borrow().current_term;
            if let Ok(written) = group.raft().client_write(registration(number, term)).await {
                assert_eq!(written.data, Ok(()));
                return;
            }
        }
    };
    tokio::time::timeout(SOON, wait).await.expect("it is decided in time");
}

fn nodes(known: &Known) -> usize {
    known.configuration.nodes().iter().count()
}

async fn three() -> Cast {
    let cast = Cast::of(1..=3).await;
    cast.group(1).raft().initialize(BTreeSet::from([1, 2, 3])).await.expect("it is fresh");
    cast
}

#[tokio::test]
async fn what_was_decided_is_known_to_all_and_after_a_restart() {
    let mut cast = three().await;
    for number in 1..=20 {
        propose(&cast, &[], number).await;
    }
    let group = cast.group(cast.leader(&[]).await);
    let of_another_term = group.raft().client_write(registration(21, 0)).await.expect("it leads").data;
    assert!(matches!(of_another_term, Err(Rejection::OtherTerm { .. })), "{of_another_term:?}");
    for node in 1..=3 {
        cast.until(node, |known| nodes(known) == 20 && known.voters == [1, 2, 3]).await;
    }
    for node in 1..=3 {
        cast.end(node).await;
    }
    for node in 1..=3 {
        cast.begin(node).await;
    }
    for node in 1..=3 {
        cast.until(node, |known| nodes(known) == 20).await;
    }
}

#[tokio::test]
async fn a_leader_that_is_cut_off_is_replaced_and_confirms_nothing() {
    let cast = three().await;
    propose(&cast, &[], 1).await;
    let leader = cast.leader(&[]).await;
    cast.hall.cut_off.lock().expect("no panic").insert(leader);
    propose(&cast, &[leader], 2).await;
    let confirmed = tokio::time::timeout(SOON, cast.group(leader).raft().ensure_linearizable()).await;
    assert!(!matches!(confirmed, Ok(Ok(_))));
    cast.hall.cut_off.lock().expect("no panic").clear();
    cast.until(leader, |known| nodes(known) == 2).await;
}

#[tokio::test]
async fn whoever_was_away_for_long_gets_what_the_log_has_led_to() {
    let mut cast = Cast::of(1..=4).await;
    cast.group(1).raft().initialize(BTreeSet::from([1, 2, 3])).await.expect("it is fresh");
    for number in 1..=50 {
        propose(&cast, &[4], number).await;
    }
    let leader = cast.leader(&[4]).await;
    let group = cast.group(leader);
    group.raft().trigger().snapshot().await.expect("it runs");
    group.raft().wait(Some(SOON)).metrics(|metrics| metrics.snapshot.is_some(), "made").await.expect("made");
    group.raft().trigger().purge_log(cast.known(leader).index).await.expect("it runs");
    group.raft().wait(Some(SOON)).metrics(|metrics| metrics.purged.is_some(), "let go").await.expect("let go");
    group.raft().add_learner(4, (), false).await.expect("it leads");
    cast.until(4, |known| nodes(known) == 50).await;
    // And it has it still when it comes again.
    cast.end(4).await;
    cast.begin(4).await;
    assert_eq!(nodes(&cast.known(4)), 50);
}
