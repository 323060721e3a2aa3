//! The threads of a member: one for its peers, which hands on what they say, and one for the configuration group, whose
//! waits for the disk must not hold up anybody's data.

use std::io;
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::{Arc, Weak};
use std::thread;

use kvnode_core::cluster::member::Member;
use kvnode_core::store::slot::PartitionNumber;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::Cluster;
use super::duties::look_after;
use super::group::{self, Changed, Group, Known, Learner, Proposal};
use super::leading::{confirm, keep_members};
use super::peers::{Exchanging, Received, dial, listen};
use super::wire::{Introduction, Payload};
use crate::node::runtime;
use crate::shared::Shared;

/// Questions of the group that wait for its thread. Those who ask ask again.
const ASKED_MAX: usize = 1024;

/// What is needed to run: the socket that was bound at the start, and where the group keeps its files.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) listener: TcpListener,
    pub(crate) data_dir: PathBuf,
}

struct Question {
    from: Member,
    number: u64,
    ask: group::Ask,
}

/// Hears what the peers say.
struct Ear {
    shared: Arc<Shared>,
    cluster: Arc<Cluster>,
    questions: mpsc::Sender<Question>,
}

impl Received for Ear {
    fn received(&self, from: &Introduction, payload: Payload) {
        if let Payload::GroupAsk { number, ask } = payload {
            // When so many wait, one more would not be answered in time either.
            let _ = self.questions.try_send(Question { from: from.member, number, ask });
        } else if let Some(answer) = self.cluster.hear(&self.shared, from, payload) {
            self.cluster.peers.say(from.member, &answer);
        }
    }
}

/// Brings what was decided to the replicas.
#[derive(Debug)]
struct Learning {
    shared: Weak<Shared>,
    cluster: Arc<Cluster>,
}

impl Learner for Learning {
    fn learned(&self, known: &Known, changed: Changed) {
        let Some(shared) = self.shared.upgrade() else { return };
        let numbers = match changed {
            Changed::None => 0..0,
            Changed::Partition(number) => u16::from(number.get())..u16::from(number.get()) + 1,
            Changed::Everything => 0..256,
        };
        for number in numbers {
            let number = PartitionNumber::new(u8::try_from(number).expect("partitions are numbered by bytes"));
            let state = known.configuration.partition(number);
            if state.number() > 0 {
                let now = self.cluster.now();
                shared.store.act(number, |replica| replica.configured(state, now));
            }
        }
        // A lease may need this much to be known: the replicas know it now.
        self.cluster.known.store(Arc::new(known.clone()));
        self.cluster.tell();
    }
}

/// Starts the threads. Each says its name when it ends, which it should not.
pub(crate) fn start(
    shared: &Arc<Shared>,
    cluster: &Arc<Cluster>,
    running: Running,
    ending: &mpsc::UnboundedSender<String>,
) -> io::Result<()> {
    let (questions, asked) = mpsc::channel(ASKED_MAX);
    let ear = Ear { shared: Arc::clone(shared), cluster: Arc::clone(cluster), questions };
    let peers = Arc::clone(&cluster.peers);
    let (addresses, ending_with) = (cluster.settings.peers.clone(), Arc::clone(cluster));
    spawn("kvnode-peers", ending, async move {
        let listener = tokio::net::TcpListener::from_std(running.listener)?;
        let mut tasks = JoinSet::new();
        for address in addresses {
            tasks.spawn(dial(Arc::clone(&peers), address));
        }
        tokio::select! {
            () = listen(peers, listener, Arc::new(ear)) => {}
            () = ending_with.has_ended() => {}
        }
        Ok(())
    })?;
    let proposed = cluster.proposed.lock().expect("a panic ends the process").take();
    let (shared, cluster) = (Arc::clone(shared), Arc::clone(cluster));
    spawn("kvnode-group", ending, async move {
        let exchange = Arc::new(Exchanging(Arc::clone(&cluster.peers)));
        let learner = Arc::new(Learning { shared: Arc::downgrade(&shared), cluster: Arc::clone(&cluster) });
        let folder = running.data_dir.join("group");
        let group = group::start(cluster.me.node.get(), &folder, exchange, learner, cluster.clock.clone()).await?;
        let mut tasks = JoinSet::new();
        let (ending_with, group_ending) = (Arc::clone(&cluster), group.clone());
        tasks.spawn(answer(Arc::clone(&cluster), group.clone(), asked));
        tasks.spawn(take_proposals(group.clone(), proposed.expect("a cluster is started once")));
        tasks.spawn(confirm(Arc::clone(&cluster), group.clone()));
        tasks.spawn(keep_members(Arc::clone(&cluster), group.clone()));
        tasks.spawn(look_after(shared, cluster, group));
        tokio::select! {
            // None of them should end.
            _ = tasks.join_next() => {}
            () = ending_with.has_ended() => group_ending.raft().shutdown().await?,
        }
        Ok(())
    })
}

fn spawn(
    name: &'static str,
    ending: &mpsc::UnboundedSender<String>,
    work: impl Future<Output = Result<(), Box<dyn std::error::Error + Send + Sync>>> + Send + 'static,
) -> io::Result<()> {
    let runtime = runtime()?;
    let ending = ending.clone();
    thread::Builder::new().name(name.to_owned()).spawn(move || {
        if let Err(error) = runtime.block_on(work) {
            tracing::error!(%error, "this node can no longer take part in its cluster");
        }
        // Nobody listens any more when the node has ended already.
        let _ = ending.send(name.to_owned());
    })?;
    Ok(())
}

async fn answer(cluster: Arc<Cluster>, group: Group, mut asked: mpsc::Receiver<Question>) {
    let mut answering = JoinSet::new();
    while let Some(Question { from, number, ask }) = asked.recv().await {
        while answering.try_join_next().is_some() {}
        let (cluster, group) = (Arc::clone(&cluster), group.clone());
        answering.spawn(async move {
            let reply = group.answer(ask).await;
            cluster.peers.say(from, &Payload::GroupReply { number, reply });
        });
    }
}

/// Nobody waits for what becomes of a proposal here: whoever made it sees it in the configuration.
async fn take_proposals(group: Group, mut proposed: mpsc::Receiver<Proposal>) {
    while let Some(proposal) = proposed.recv().await {
        if group.raft().client_write_ff(proposal).await.is_err() {
            return;
        }
    }
}
