//! What it is all for: kvnode beside the redis-server that its port stands for.

use anyhow::{Context, Result};
use kvtenant_tests::products;
use kvtenant_tests::stores::{Kept, Store};

use crate::generate::Port;
use crate::play::Pair;
use crate::report::all_equal;
use crate::seeds::seeds;

#[test]
fn kvnode_answers_plain_clients_as_redis_server_does() -> Result<()> {
    let (redis, kvnode) = (Store::redis()?, Store::kvnode(&products::for_tests("kvnode")?, Kept::Nothing)?);
    let pair = Pair { reference: redis.plain.context("plain")?, subject: kvnode.plain.context("plain")? };
    all_equal("kvnode for plain clients", pair, Port::Plain, seeds()?)
}

#[test]
fn kvnode_answers_cluster_clients_as_a_redis_cluster_does() -> Result<()> {
    let (redis, kvnode) = (Store::redis_cluster()?, Store::kvnode(&products::for_tests("kvnode")?, Kept::Nothing)?);
    let pair = Pair { reference: redis.cluster.context("cluster")?, subject: kvnode.cluster.context("cluster")? };
    all_equal("kvnode for cluster clients", pair, Port::Cluster, seeds()?)
}
