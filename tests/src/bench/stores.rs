//! The servers that speak Redis' protocol: kvnode and its peers. One that is not to be had is left out with a sentence,
//! unless somebody asked for it by name.

use std::fmt;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;
use kvtenant_tests::progress::say;

use super::needs::Kvnode;
use super::servers::{self, RESP_PORT, Server};
use super::valkey::Valkey;
use super::versions::{self, Version};

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Store {
    /// Our own, built from this tree
    Kvnode,
    /// Valkey 8.1, fetched from Debian trixie into the caches
    Valkey,
    /// This system's redis-server
    Redis,
}

impl fmt::Display for Store {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Kvnode => "kvnode",
            Self::Valkey => "Valkey",
            Self::Redis => "Redis",
        })
    }
}

/// Those that can be measured.
#[derive(Debug)]
pub(crate) struct Stores {
    pub(crate) present: Vec<Store>,
    /// A sentence for each that cannot.
    pub(crate) left_out: Vec<String>,
    kvnode: Option<Kvnode>,
    valkey: Option<Valkey>,
}

impl Stores {
    /// Of those that were asked for by name, all; if none was, all that there are.
    pub(crate) fn find(asked: &[Store]) -> Result<Self> {
        let wanted = |store: &Store| asked.is_empty() || asked.contains(store);
        // A tree that does not build is not a server that cannot be had: it ends all.
        let kvnode = wanted(&Store::Kvnode).then(Kvnode::build).transpose()?;
        let mut stores = Self { present: Vec::new(), left_out: Vec::new(), kvnode, valkey: None };
        for store in Store::value_variants().iter().copied().filter(wanted) {
            match stores.prepare(store) {
                Ok(()) => stores.present.push(store),
                Err(error) => stores.leave_out(store, &error, !asked.is_empty())?,
            }
        }
        Ok(stores)
    }

    fn prepare(&mut self, store: Store) -> Result<()> {
        match store {
            Store::Kvnode => {
                let speaks = self.kvnode.as_ref().is_some_and(|kvnode| kvnode.has(RESP_PORT));
                ensure!(speaks, "this build of it does not speak Redis' protocol");
            }
            Store::Valkey => self.valkey = Some(Valkey::fetch()?),
            Store::Redis => {}
        }
        Ok(())
    }

    fn leave_out(&mut self, store: Store, why: &anyhow::Error, by_name: bool) -> Result<()> {
        ensure!(!by_name, "{store} was asked for by name, but cannot be measured: {why:#}");
        let sentence = format!("{store} is left out: {why:#}.");
        say(&sentence);
        self.left_out.push(sentence);
        Ok(())
    }

    /// kvnode, if it was asked for, whether or not it speaks Redis' protocol.
    pub(crate) fn kvnode(&self) -> Option<&Kvnode> {
        self.kvnode.as_ref()
    }

    pub(crate) fn start(&self, store: Store, core: usize, folder: &Path) -> Result<Server> {
        self.start_with(store, core, folder, &[])
    }

    /// One that keeps its keys in `data`, and has those that are there when it answers.
    pub(crate) fn start_on_disk(&self, store: Store, core: usize, folder: &Path, data: &Path) -> Result<Server> {
        self.start_with(store, core, folder, &keeping(store, data))
    }

    fn start_with(&self, store: Store, core: usize, folder: &Path, more: &[String]) -> Result<Server> {
        match store {
            Store::Kvnode => {
                servers::kvnode_resp(self.kvnode.as_ref().context("kvnode was left out")?, core, folder, more)
            }
            Store::Valkey => servers::valkey(self.valkey.as_ref().context("Valkey was left out")?, core, folder, more),
            Store::Redis => servers::redis(core, folder, more),
        }
    }

    pub(crate) fn versions(&self) -> Result<Vec<Version>> {
        let kvnode = self.kvnode.iter().map(|kvnode| versions::kvnode(&kvnode.program));
        let valkey = self.valkey.iter().map(Valkey::version);
        let redis = self.present.contains(&Store::Redis).then(versions::redis);
        kvnode.chain(valkey).chain(redis).collect()
    }

    /// The command lines, for a page.
    pub(crate) fn commands(&self) -> String {
        self.commands_with(|_| Vec::new())
    }

    /// The command lines of servers that keep their keys on a disk.
    pub(crate) fn commands_on_disk(&self) -> String {
        self.commands_with(|store| keeping(store, Path::new("DATA")))
    }

    fn commands_with(&self, more: impl Fn(Store) -> Vec<String>) -> String {
        let peer = servers::redis_flags("PORT", "FOLDER").join(" ").replace("--save  ", "--save '' ");
        let command = |store: &Store| {
            let line = match store {
                Store::Kvnode => {
                    let flags = self.kvnode.as_ref().map(|kvnode| servers::kvnode_flags(kvnode, "PORT"));
                    format!("kvnode {}", flags.unwrap_or_default().join(" "))
                }
                Store::Valkey => format!("ld-linux --library-path FOLDER valkey-server {peer}"),
                Store::Redis => format!("redis-server {peer}"),
            };
            format!("{}\n", [vec![line], more(*store)].concat().join(" "))
        };
        self.present.iter().map(command).collect::<Vec<_>>().concat()
    }
}

fn keeping(store: Store, data: &Path) -> Vec<String> {
    match store {
        Store::Kvnode => servers::kvnode_keeping(data),
        Store::Valkey | Store::Redis => servers::redis_keeping(data),
    }
}

#[cfg(test)]
impl Stores {
    /// For tests of pages; nothing of them can be started.
    pub(crate) fn made_up(present: &[Store], left_out: &[&str]) -> Self {
        let left_out = left_out.iter().map(|sentence| (*sentence).to_owned()).collect();
        Self { present: present.to_vec(), left_out, kvnode: None, valkey: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_is_left_out_with_a_sentence() {
        let mut stores = Stores::made_up(&[], &[]);
        stores.leave_out(Store::Valkey, &anyhow::anyhow!("no network"), false).unwrap();
        assert_eq!(stores.left_out, ["Valkey is left out: no network."]);
    }

    #[test]
    fn what_was_asked_for_by_name_must_be_there() {
        let error = Stores::made_up(&[], &[])
            .leave_out(Store::Valkey, &anyhow::anyhow!("no network"), true)
            .unwrap_err()
            .to_string();
        assert_eq!(error, "Valkey was asked for by name, but cannot be measured: no network");
    }

    #[test]
    fn a_page_shows_how_peers_are_started() {
        let stores = Stores::made_up(&[Store::Valkey, Store::Redis], &[]);
        let commands = stores.commands();
        assert!(commands.contains("redis-server --bind 127.0.0.1 --port PORT --io-threads 1 --save '' "), "{commands}");
        assert!(commands.contains("ld-linux --library-path FOLDER valkey-server --bind"), "{commands}");
    }
}
