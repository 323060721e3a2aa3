//! What is measured: six kinds of request, two and two beside each other, and one run of one of them.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use http::Method;

use crate::bench::machine::{Cores, Places};
use crate::bench::needs::Kvnode;
use crate::bench::redis_benchmark::{self, Command, VALUE_BYTES};
use crate::bench::sample::{Sample, measure};
use crate::bench::servers::{self, FILE, FileIs, Server, TENANT};
use crate::bench::wrk;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    KvnodeGet,
    NginxGet,
    /// The same from a file that is held open.
    NginxHeldGet,
    KvnodePut,
    /// The same entry for somebody who has an account: by the path of the third dialect, with a token.
    KvnodeUserGet,
    RedisSet,
}

impl Subject {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::KvnodeGet => "kvnode, HTTP GET",
            Self::NginxGet => "nginx, HTTP GET",
            Self::NginxHeldGet => "nginx, HTTP GET of a file it holds open",
            Self::KvnodePut => "kvnode, HTTP PUT",
            Self::KvnodeUserGet => "kvnode, HTTP GET with a token",
            Self::RedisSet => "Redis, SET in its own protocol",
        }
    }
}

/// All servers, on the same core; only one of them is busy at a time.
#[derive(Debug)]
pub(crate) struct Bench<'f> {
    kvnode: Server,
    nginx: Server,
    nginx_holding: Server,
    redis: Server,
    folder: &'f Path,
    /// Of the account whose keys are read.
    token: String,
    pub(crate) body_bytes: usize,
}

impl<'f> Bench<'f> {
    pub(crate) fn start(kvnode: &Kvnode, cores: Cores, folder: &'f Path) -> Result<Self> {
        let kvnode = servers::kvnode(kvnode, cores.servers, folder)?;
        let body = format!("{{\"value\":\"{}\"}}", "x".repeat(VALUE_BYTES - 2));
        kvnode.ask(Method::PUT, &key_path(), Some(&body))?;
        let entry = kvnode.ask(Method::GET, &key_path(), None)?.body;
        let token = register(&kvnode)?;
        let created = format!("{{\"key\":\"{}\",{}", key(), body.trim_start_matches('{'));
        kvnode.ask_as(&token, Method::POST, USER_KEYS, Some(&created))?;
        let nginx = |file_is| {
            let nginx = servers::nginx(&entry, cores.servers, folder, file_is)?;
            let served = nginx.ask(Method::GET, FILE, None)?.body;
            ensure!(served == entry, "nginx does not serve what kvnode does: {served}");
            Ok(nginx)
        };
        let (nginx, nginx_holding) = (nginx(FileIs::OpenedEachTime)?, nginx(FileIs::HeldOpen)?);
        let redis = servers::redis(cores.servers, folder, &[])?;
        Ok(Self { kvnode, nginx, nginx_holding, redis, folder, token, body_bytes: entry.len() })
    }

    pub(crate) fn run(&self, subject: Subject, connections: usize, places: Places, seconds: u64) -> Result<Sample> {
        let load = wrk::Load { connections, seconds, core: places.client, folder: self.folder };
        match subject {
            Subject::KvnodeGet => measure(&self.kvnode, places, || wrk::get(&self.kvnode.url(&key_path()), load)),
            Subject::NginxGet => measure(&self.nginx, places, || wrk::get(&self.nginx.url(FILE), load)),
            Subject::NginxHeldGet => {
                measure(&self.nginx_holding, places, || wrk::get(&self.nginx_holding.url(FILE), load))
            }
            Subject::KvnodePut => {
                measure(&self.kvnode, places, || wrk::put(&self.kvnode.url(&format!("/{TENANT}/kv/")), load))
            }
            Subject::KvnodeUserGet => {
                let url = self.kvnode.url(&format!("{USER_KEYS}/{}", key()));
                measure(&self.kvnode, places, || wrk::get_as(&self.token, &url, load))
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

/// Where accounts have their keys.
pub(crate) const USER_KEYS: &str = "/api/v1/kv";

fn key() -> String {
    format!("{:020}", 1)
}

fn key_path() -> String {
    format!("/{TENANT}/kv/{}", key())
}

/// Makes an account and gives its access token.
fn register(kvnode: &Server) -> Result<String> {
    let account = r#"{"username": "bench", "email": "bench@example.com", "password": "Correct-horse-7"}"#;
    let answer = kvnode.ask(Method::POST, "/api/v1/auth/register", Some(account))?.json()?;
    let token = answer["access_token"].as_str().context("an account was made, but no token came with it")?;
    Ok(token.to_owned())
}
