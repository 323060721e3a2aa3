//! The servers that a client works with: one for each port.

use std::net::SocketAddr;

use anyhow::{Context, Result};
use kvtenant_tests::stores::Store;

#[derive(Debug)]
pub(crate) struct Servers {
    stores: Vec<Store>,
    pub(crate) plain: SocketAddr,
    pub(crate) cluster: SocketAddr,
    /// Whether keys are there after a restart.
    pub(crate) keep: bool,
    /// Whether SET compares with IFEQ.
    pub(crate) have_ifeq: bool,
}

impl Servers {
    /// A redis-server for each port, in memory only.
    pub(crate) fn redis() -> Result<Self> {
        let (plain, cluster) = (Store::redis()?, Store::redis_cluster()?);
        Ok(Self {
            plain: plain.plain.context("it was started with one")?,
            cluster: cluster.cluster.context("it was started with one")?,
            stores: vec![plain, cluster],
            keep: false,
            have_ifeq: false,
        })
    }

    pub(crate) fn restart(&mut self) -> Result<()> {
        self.stores.iter_mut().try_for_each(Store::restart)
    }
}
