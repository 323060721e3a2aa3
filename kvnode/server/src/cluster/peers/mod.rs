//! The other nodes: one connection to each, on which this node speaks, and one from each, on which it listens. Whatever is
//! said to a node that is not connected is lost; those who have something to say say it again.

mod dialer;
mod link;
mod listener;

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use arc_swap::ArcSwap;
use kvnode_core::cluster::member::{Member, NodeId};
use kvnode_core::time::Uptime;
use subtle::ConstantTimeEq;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::group::{Ask, Exchange, Reply, Unheard};
use super::wire::{Hello, Introduction, Payload};
use crate::clock::Clock;

pub(crate) use dialer::dial;
pub(crate) use link::Link;
pub(crate) use listener::{Received, listen};

/// How long a connection and a greeting may take.
const GREETING_TIME_MAX: Duration = Duration::from_secs(2);

pub(crate) struct Peers {
    hello: Hello,
    clock: Clock,
    /// To whom something can be said at this moment.
    links: ArcSwap<HashMap<NodeId, Arc<Link>>>,
    /// Everybody who ever said hello, as it was the last time. One for each node of the cluster.
    met: Mutex<BTreeMap<NodeId, Met>>,
    /// What the group's members have been asked and have not answered.
    questions: Mutex<HashMap<u64, oneshot::Sender<Reply>>>,
    asked: AtomicU64,
}

#[derive(Clone, Debug)]
pub(crate) struct Met {
    pub(crate) who: Introduction,
    /// When it has said something the last time.
    pub(crate) heard: Uptime,
    /// It ends soon, by its own word.
    pub(crate) is_leaving: bool,
}

impl Peers {
    pub(crate) fn new(hello: Hello, clock: Clock) -> Self {
        Self {
            hello,
            clock,
            links: ArcSwap::default(),
            met: Mutex::default(),
            questions: Mutex::default(),
            asked: AtomicU64::new(0),
        }
    }

    pub(crate) fn me(&self) -> &Introduction {
        &self.hello.who
    }

    /// Says something to this life of a node, if it is connected.
    pub(crate) fn say(&self, to: Member, payload: &Payload) {
        if let Some(link) = self.links.load().get(&to.node)
            && link.member() == to
        {
            link.say(payload);
        }
    }

    /// Everybody who is connected.
    pub(crate) fn connected(&self) -> Vec<Member> {
        self.links.load().values().map(|link| link.member()).collect()
    }

    /// Everybody who ever was.
    pub(crate) fn met(&self) -> Vec<Met> {
        self.all_met().values().cloned().collect()
    }

    pub(crate) fn introduction(&self, node: NodeId) -> Option<Introduction> {
        self.all_met().get(&node).map(|met| met.who.clone())
    }

    /// When this life of a node has said something the last time.
    pub(crate) fn heard(&self, member: Member) -> Option<Uptime> {
        self.all_met().get(&member.node).filter(|met| met.who.member == member).map(|met| met.heard)
    }

    pub(crate) fn is_leaving(&self, member: Member) -> bool {
        self.all_met().get(&member.node).is_some_and(|met| met.who.member == member && met.is_leaving)
    }

    /// What a life of a node says of itself.
    pub(crate) fn note_leaving(&self, member: Member, is_leaving: bool) {
        if let Some(met) = self.all_met().get_mut(&member.node).filter(|met| met.who.member == member) {
            met.is_leaving = is_leaving;
        }
    }

    fn all_met(&self) -> MutexGuard<'_, BTreeMap<NodeId, Met>> {
        self.met.lock().expect("a panic ends the process")
    }

    /// What came on its connection from this node, if it is no earlier life of it.
    fn note(&self, who: &Introduction) -> bool {
        let heard = self.clock.uptime();
        let mut met = self.all_met();
        match met.get_mut(&who.member.node) {
            Some(known) if known.who.member > who.member => return false,
            Some(known) if known.who == *who => known.heard = heard,
            _ => {
                met.insert(who.member.node, Met { who: who.clone(), heard, is_leaving: false });
            }
        }
        true
    }

    /// Why somebody with this greeting is not listened to.
    fn refuses(&self, hello: &Hello) -> Option<String> {
        let Hello { cluster, tenant, token, who } = &self.hello;
        if *tenant != hello.tenant {
            return Some(format!("this node is of the tenant '{tenant}'"));
        }
        if *cluster != hello.cluster {
            return Some(format!("this node is of the cluster '{cluster}', not of '{}'", hello.cluster));
        }
        let bytes = |token: &Option<String>| token.clone().unwrap_or_default().into_bytes();
        if !bool::from(bytes(token).ct_eq(&bytes(&hello.token))) {
            return Some("the peer token is another than this node's".to_owned());
        }
        let is_namesake = who.name == hello.who.name && who.member.node != hello.who.member.node;
        is_namesake.then(|| format!("this node has the name '{}', too", who.name))
    }

    fn connect(&self, link: &Arc<Link>) {
        self.links.rcu(|links| {
            let mut links = HashMap::clone(links);
            links.insert(link.member().node, Arc::clone(link));
            links
        });
    }

    fn disconnect(&self, link: &Arc<Link>) {
        self.links.rcu(|links| {
            let mut links = HashMap::clone(links);
            if links.get(&link.member().node).is_some_and(|one| Arc::ptr_eq(one, link)) {
                links.remove(&link.member().node);
            }
            links
        });
    }

    /// An answer to something that was asked before. It may be too late.
    pub(crate) fn replied(&self, number: u64, reply: Reply) {
        if let Some(asking) = self.questions().remove(&number) {
            // Whoever asked may have given up just now.
            let _ = asking.send(reply);
        }
    }

    fn questions(&self) -> MutexGuard<'_, HashMap<u64, oneshot::Sender<Reply>>> {
        self.questions.lock().expect("a panic ends the process")
    }
}

impl std::fmt::Debug for Peers {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Peers").field("connected", &self.connected()).finish_non_exhaustive()
    }
}

/// How the members of the group reach each other.
#[derive(Debug)]
pub(crate) struct Exchanging(pub(crate) Arc<Peers>);

impl Exchange for Exchanging {
    fn ask(&self, node: u128, ask: Ask, at_most: Duration) -> super::group::Replying {
        let peers = Arc::clone(&self.0);
        Box::pin(async move {
            let link = peers.links.load().get(&NodeId::new(node)).cloned().ok_or(Unheard)?;
            let number = peers.asked.fetch_add(1, Ordering::Relaxed);
            let (replying, reply) = oneshot::channel();
            peers.questions().insert(number, replying);
            link.say(&Payload::GroupAsk { number, ask });
            let replied = timeout(at_most, reply).await;
            peers.questions().remove(&number);
            replied.ok().and_then(Result::ok).ok_or(Unheard)
        })
    }
}

#[cfg(test)]
mod tests;
