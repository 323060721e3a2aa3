//! What a connection has agreed on with the node: who it is, how answers are written, what it has begun.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use kvnode_core::store::key::Namespace;
use kvnode_core::time::UnixMillis;

use super::clients::{Client, Words};
use super::login::Welcome;
use super::transaction::{Transaction, Watched};
use super::walk::Walk;
use crate::access::Standing;
use crate::resp::commands::Name;
use crate::resp::reply::Protocol;

/// Which of the two ports a client came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Port {
    /// For clients that know of no cluster: this node answers for every key.
    Plain,
    /// For clients that know which node has which slot.
    Cluster,
}

/// Which answers are sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Answers {
    #[default]
    On,
    Off,
    /// The answer to the next command is the last that is not sent.
    SkipNext,
}

/// What is to be done with the connection before its next command.
#[derive(Debug, Default)]
pub(super) enum Next {
    #[default]
    Serve,
    /// Everything answered is sent, then it ends.
    Close,
    /// Its last command looks at all keys, some partitions a turn.
    Walk(Box<Walk>),
    /// Its password is being checked.
    LogIn(Box<Welcome>),
}

#[derive(Debug)]
pub(super) struct Session {
    pub(super) port: Port,
    pub(super) protocol: Protocol,
    /// Who it is; none while that has to be said first.
    pub(super) standing: Option<Standing>,
    pub(super) answers: Answers,
    /// The present command is not answered.
    pub(super) muted: bool,
    pub(super) next: Next,
    pub(super) transaction: Option<Box<Transaction>>,
    pub(super) watched: Vec<Watched>,
    pub(super) client: Arc<Client>,
    /// The second in which `client` was last told of a command.
    noted_second: u64,
}

impl Session {
    pub(super) fn new(port: Port, client: Arc<Client>, standing: Option<Standing>) -> Self {
        Self {
            port,
            protocol: Protocol::default(),
            standing,
            answers: Answers::default(),
            muted: false,
            next: Next::default(),
            transaction: None,
            watched: Vec::new(),
            client,
            noted_second: 0,
        }
    }

    /// Whose keys its commands see.
    pub(super) fn namespace(&self) -> Namespace {
        self.standing.as_ref().map_or(Namespace::Shared, Standing::namespace)
    }

    pub(super) fn stand(&mut self, standing: Option<Standing>) {
        // What was watched is another's.
        self.watched.clear();
        self.standing = standing;
    }

    pub(super) fn begin_command(&mut self) {
        self.muted = self.answers != Answers::On;
        if self.answers == Answers::SkipNext {
            self.answers = Answers::On;
        }
    }

    /// Others are told once a second: to tell them of every command would cost a look at memory that is far away.
    pub(super) fn note_use(&mut self, now: UnixMillis, command: Name) {
        let second = now.get() / 1000;
        if second != self.noted_second {
            self.noted_second = second;
            self.client.was_active(now, command);
        }
    }

    /// As the connection was when it began, but for its number and its port.
    pub(super) fn reset(&mut self, standing: Option<Standing>) {
        *self = Self { noted_second: self.noted_second, ..Self::new(self.port, Arc::clone(&self.client), standing) };
        *self.client.words() = Words::default();
        self.client.queued.store(-1, Ordering::Relaxed);
    }
}
