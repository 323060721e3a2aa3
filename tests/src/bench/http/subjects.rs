//! What is measured: four kinds of request, two and two beside each other, and one run of one of them.

use std::path::Path;

use anyhow::{Result, ensure};
use http::Method;

use crate::bench::machine::{Cores, Places};
use crate::bench::needs::Kvnode;
use crate::bench::redis_benchmark::{self, Command, VALUE_BYTES};
use crate::bench::sample::{Sample, measure};
use crate::bench::servers::{self, FILE, Server, TENANT};
use crate::bench::wrk;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    KvnodeGet,
    NginxGet,
    KvnodePut,
    RedisSet,
}

impl Subject {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::KvnodeGet => "kvnode, HTTP GET",
            Self::NginxGet => "nginx, HTTP GET",
            Self::KvnodePut => "kvnode, HTTP PUT",
            Self::RedisSet => "Redis, SET in its own protocol",
        }
    }
}

/// All servers, on the same core; only one of them is busy at a time.
#[derive(Debug)]
pub(crate) struct Bench<'f> {
    kvnode: Server,
    nginx: Server,
    redis: Server,
    folder: &'f Path,
    pub(crate) body_bytes: usize,
}

impl<'f> Bench<'f> {
    pub(crate) fn start(kvnode: &Kvnode, cores: Cores, folder: &'f Path) -> Result<Self> {
        let kvnode = servers::kvnode(kvnode, cores.servers, folder)?;
        let body = format!("{{\"value\":\"{}\"}}", "x".repeat(VALUE_BYTES - 2));
        kvnode.ask(Method::PUT, &key_path(), Some(&body))?;
        let entry = kvnode.ask(Method::GET, &key_path(), None)?.body;
        let nginx = servers::nginx(&entry, cores.servers, folder)?;
        let served = nginx.ask(Method::GET, FILE, None)?.body;
        ensure!(served == entry, "nginx does not serve what kvnode does: {served}");
        let redis = servers::redis(cores.servers, folder)?;
        Ok(Self { kvnode, nginx, redis, folder, body_bytes: entry.len() })
    }

    pub(crate) fn run(&self, subject: Subject, connections: usize, places: Places, seconds: u64) -> Result<Sample> {
        let load = wrk::Load { connections, seconds, core: places.client, folder: self.folder };
        match subject {
            Subject::KvnodeGet => measure(&self.kvnode, places, || wrk::get(&self.kvnode.url(&key_path()), load)),
            Subject::NginxGet => measure(&self.nginx, places, || wrk::get(&self.nginx.url(FILE), load)),
            Subject::KvnodePut => {
                measure(&self.kvnode, places, || wrk::put(&self.kvnode.url(&format!("/{TENANT}/kv/")), load))
            }
            Subject::RedisSet => measure(&self.redis, places, || {
                let operations = seconds * redis_benchmark::PER_SECOND;
                redis_benchmark::run(self.redis.address, redis_set(connections), operations, places.client, self.folder)
            }),
        }
    }
}

/// Redis' side of [`Subject::KvnodePut`]: as many keys, values as long.
pub(crate) fn redis_set(connections: usize) -> redis_benchmark::Load {
    redis_benchmark::Load { command: Command::Set, pipeline: 1, connections, keys: wrk::KEYS }
}

fn key_path() -> String {
    format!("/{TENANT}/kv/{:020}", 1)
}
