//! The servers that a client works with: one for each port.

use std::net::SocketAddr;

use anyhow::{Context, Result};
use kvtenant_tests::products;
use kvtenant_tests::stores::{Kept, Store};
use tempfile::TempDir;

/// Of the node that asks for one.
const SECRET: &str = "an-api-key-that-is-long-enough-for-tests";

#[derive(Debug)]
pub(crate) struct Servers {
    stores: Vec<Store>,
    pub(crate) plain: SocketAddr,
    pub(crate) cluster: SocketAddr,
    /// Whether keys are there after a restart.
    pub(crate) keep: bool,
    /// Whether SET compares with IFEQ.
    pub(crate) have_ifeq: bool,
    /// What a client has to say before it is let in.
    pub(crate) secret: Option<&'static str>,
    /// Files that a node reads.
    _files: Option<TempDir>,
}

/// Which servers.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// For which the clients were written: what does not work with it is wrong with our program.
    Redis,
    /// As it is started by hand.
    NodeInMemory,
    /// As it serves a tenant that keeps its data and lets no stranger in.
    NodeOnDisk,
}

impl Kind {
    pub(crate) const ALL: [Self; 3] = [Self::Redis, Self::NodeInMemory, Self::NodeOnDisk];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Redis => "redis-server",
            Self::NodeInMemory => "kvnode in memory",
            Self::NodeOnDisk => "kvnode on a disk, with a password",
        }
    }

    pub(crate) fn start(self) -> Result<Servers> {
        match self {
            Self::Redis => redis(),
            Self::NodeInMemory => kvnode(Kept::Nothing, None),
            Self::NodeOnDisk => kvnode(Kept::All, Some(SECRET)),
        }
    }
}

impl Servers {
    pub(crate) fn restart(&mut self) -> Result<()> {
        self.stores.iter_mut().try_for_each(Store::restart)
    }
}

/// A redis-server for each port, in memory only.
fn redis() -> Result<Servers> {
    let (plain, cluster) = (Store::redis()?, Store::redis_cluster()?);
    Ok(Servers {
        plain: plain.plain.context("it was started with one")?,
        cluster: cluster.cluster.context("it was started with one")?,
        stores: vec![plain, cluster],
        keep: false,
        have_ifeq: false,
        secret: None,
        _files: None,
    })
}

/// One node with both ports.
fn kvnode(kept: Kept, secret: Option<&'static str>) -> Result<Servers> {
    let program = products::for_tests("kvnode")?;
    let files = tempfile::tempdir()?;
    let [config, key] = ["config.yaml", "admin-key"].map(|name| files.path().join(name));
    std::fs::write(&config, format!("auth:\n  anonymous: {}\n", secret.is_none()))?;
    std::fs::write(&key, secret.unwrap_or(SECRET))?;
    let [config, key] = [&config, &key].map(|path| path.to_str().context("the path is no text"));
    let node = Store::kvnode_with(&program, kept, &["--config", config?, "--admin-key-file", key?])?;
    Ok(Servers {
        plain: node.plain.context("it was started with one")?,
        cluster: node.cluster.context("it was started with one")?,
        stores: vec![node],
        keep: kept == Kept::All,
        have_ifeq: true,
        secret,
        _files: Some(files),
    })
}
