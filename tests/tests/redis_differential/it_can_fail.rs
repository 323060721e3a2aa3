//! A redis-server beside another one: equal, as it must be; and with a liar between, found out.

use anyhow::{Context, Result, ensure};
use kvtenant_tests::stores::Store;

use crate::generate::Port;
use crate::play::Pair;
use crate::proxy::{LIES, Proxy};
use crate::report::{all_equal, smallest_difference};
use crate::seeds::seeds;

/// Enough for each lie to be told.
const SEEDS_MAX: usize = 11;

/// What it takes to bring out a lie: to choose a protocol, to write a key twice, to ask.
const STEPS_MAX: usize = 5;

#[test]
fn redis_server_answers_as_redis_server_does() -> Result<()> {
    let (one, other) = (Store::redis()?, Store::redis()?);
    let pair = Pair { reference: one.plain.context("plain")?, subject: other.plain.context("plain")? };
    all_equal("redis-server beside itself", pair, Port::Plain, seeds()?.take(SEEDS_MAX))
}

#[test]
fn a_redis_cluster_answers_as_a_redis_cluster_does() -> Result<()> {
    let (one, other) = (Store::redis_cluster()?, Store::redis_cluster()?);
    let pair = Pair { reference: one.cluster.context("cluster")?, subject: other.cluster.context("cluster")? };
    all_equal("a Redis cluster beside itself", pair, Port::Cluster, seeds()?.take(SEEDS_MAX))
}

#[test]
fn every_lie_is_found_and_told_in_a_few_steps() -> Result<()> {
    let (one, other) = (Store::redis()?, Store::redis()?);
    for lie in LIES {
        let proxy = Proxy::start(other.plain.context("plain")?, lie)?;
        let pair = Pair { reference: one.plain.context("plain")?, subject: proxy.address };
        let mut found = None;
        for seed in (1..).take(SEEDS_MAX) {
            found = smallest_difference(pair, Port::Plain, seed)?;
            if found.is_some() {
                break;
            }
        }
        let (steps, difference) = found.with_context(|| format!("nobody notices a server that {}", lie.name))?;
        ensure!(steps.len() <= STEPS_MAX, "{} is told in {} steps: {difference:?}", lie.name, steps.len());
    }
    Ok(())
}
