//! Who is connected, over all threads: what CLIENT LIST shows, and how CLIENT KILL finds whom it means.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use kvnode_core::time::UnixMillis;

use super::inbox::{Inbox, Message};
use crate::access::Standing;
use crate::resp::commands::Name;
use crate::resp::reply::Protocol;

#[derive(Debug, Default)]
pub(super) struct Clients {
    last: AtomicU64,
    connected: Mutex<BTreeMap<u64, Arc<Client>>>,
}

/// One connection as others see it.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) id: u64,
    pub(super) address: SocketAddr,
    pub(super) local_address: SocketAddr,
    pub(super) file: i32,
    pub(super) connected_at: UnixMillis,
    /// Where its loop keeps it.
    pub(super) place: usize,
    inbox: Arc<Inbox>,
    active_at: AtomicU64,
    last_command: AtomicUsize,
    /// Commands that wait for EXEC; less than zero outside of a transaction.
    pub(super) queued: AtomicI64,
    words: Mutex<Words>,
}

/// What a client says of itself.
#[derive(Clone, Debug)]
pub(super) struct Words {
    pub(super) name: Box<[u8]>,
    pub(super) library: Box<[u8]>,
    pub(super) library_version: Box<[u8]>,
    pub(super) user: Box<str>,
    pub(super) protocol: Protocol,
}

impl Default for Words {
    fn default() -> Self {
        Self {
            name: Box::default(),
            library: Box::default(),
            library_version: Box::default(),
            user: "default".into(),
            protocol: Protocol::Resp2,
        }
    }
}

/// Where a connection comes from and how it is found.
#[derive(Debug)]
pub(super) struct Whereabouts {
    pub(super) address: SocketAddr,
    pub(super) local_address: SocketAddr,
    pub(super) file: i32,
    pub(super) place: usize,
    pub(super) inbox: Arc<Inbox>,
}

impl Clients {
    pub(super) fn add(&self, found: Whereabouts, now: UnixMillis) -> Arc<Client> {
        let id = self.last.fetch_add(1, Ordering::Relaxed) + 1;
        let client = Arc::new(Client {
            id,
            address: found.address,
            local_address: found.local_address,
            file: found.file,
            connected_at: now,
            place: found.place,
            inbox: found.inbox,
            active_at: AtomicU64::new(now.get()),
            last_command: AtomicUsize::new(usize::MAX),
            queued: AtomicI64::new(-1),
            words: Mutex::default(),
        });
        self.lock().insert(id, Arc::clone(&client));
        client
    }

    pub(super) fn remove(&self, id: u64) {
        self.lock().remove(&id);
    }

    pub(super) fn count(&self) -> usize {
        self.lock().len()
    }

    /// In the order in which they came.
    pub(super) fn all(&self) -> Vec<Arc<Client>> {
        self.lock().values().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Arc<Client>>> {
        self.connected.lock().expect("nothing panics while it holds the list of clients")
    }
}

impl Client {
    pub(super) fn words(&self) -> MutexGuard<'_, Words> {
        self.words.lock().expect("nothing panics while it holds a client's words")
    }

    /// Has its loop close the connection.
    pub(super) fn close(&self) {
        self.inbox.send(Message::Close { place: self.place, client: self.id });
    }

    /// Tells its loop what became of its password.
    pub(super) fn logged_in(&self, standing: Option<Standing>) {
        self.inbox.send(Message::LoggedIn { place: self.place, client: self.id, standing });
    }

    pub(super) fn was_active(&self, now: UnixMillis, command: Name) {
        self.active_at.store(now.get(), Ordering::Relaxed);
        self.last_command.store(command as usize, Ordering::Relaxed);
    }

    /// Its line of CLIENT LIST, in the form of Redis 7.
    pub(super) fn line(&self, now: UnixMillis) -> Vec<u8> {
        let words = self.words().clone();
        let seconds_since = |moment: u64| now.get().saturating_sub(moment) / 1000;
        let (id, address, local, file) = (self.id, self.address, self.local_address, self.file);
        let (age, idle) =
            (seconds_since(self.connected_at.get()), seconds_since(self.active_at.load(Ordering::Relaxed)));
        let queued = self.queued.load(Ordering::Relaxed);
        let flags = if queued < 0 { "N" } else { "x" };
        let command = Name::all().nth(self.last_command.load(Ordering::Relaxed)).map_or("NULL", |spec| spec.text);
        let protocol = if words.protocol == Protocol::Resp3 { 3 } else { 2 };
        let mut line = format!("id={id} addr={address} laddr={local} fd={file} name=").into_bytes();
        line.extend_from_slice(&words.name);
        let middle = format!(
            " age={age} idle={idle} flags={flags} db=0 sub=0 psub=0 ssub=0 multi={queued} events=r cmd={command} \
             user={} redir=-1 resp={protocol} lib-name=",
            words.user
        );
        line.extend_from_slice(middle.as_bytes());
        line.extend_from_slice(&words.library);
        line.extend_from_slice(b" lib-ver=");
        line.extend_from_slice(&words.library_version);
        line.push(b'\n');
        line
    }
}
