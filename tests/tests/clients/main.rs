//! Programs that use the clients people use, each in its own language: they connect on both ports and in both versions
//! of the protocol, do what programs do, and find back by themselves after the server was restarted.
//! The programs stand in `tests/clients`; how they talk with the test is in [`program`].

mod program;
mod redis_tools;
mod servers;
mod workshop;

use anyhow::{Context, Result};
use kvtenant_tests::progress::Step;

use crate::program::Program;
use crate::servers::{Kind, Servers};

#[test]
fn redis_py_works_and_finds_back_after_a_restart() -> Result<()> {
    works("redis-py (Python)", workshop::redis_py)
}

#[test]
fn go_redis_works_and_finds_back_after_a_restart() -> Result<()> {
    works("go-redis (Go)", workshop::go_redis)
}

#[test]
fn ioredis_works_and_finds_back_after_a_restart() -> Result<()> {
    works("ioredis (Node.js)", workshop::ioredis)
}

#[test]
fn lettuce_works_and_finds_back_after_a_restart() -> Result<()> {
    works("lettuce (Java)", workshop::lettuce)
}

#[test]
fn redis_rs_works_and_finds_back_after_a_restart() -> Result<()> {
    works("redis-rs (Rust)", workshop::redis_rs)
}

#[test]
fn redis_cli_works_before_and_after_a_restart() -> Result<()> {
    on_all("redis-cli", redis_tools::redis_cli)
}

#[test]
fn redis_benchmark_works_before_and_after_a_restart() -> Result<()> {
    on_all("redis-benchmark", redis_tools::redis_benchmark)
}

fn works(client: &str, made: impl FnOnce() -> Result<Program>) -> Result<()> {
    let step = Step::start(format!("{client}: getting what it needs"));
    let mut program = made()?;
    step.done("");
    on_all(client, |servers| program.run(servers))
}

fn on_all(client: &str, mut work: impl FnMut(&mut Servers) -> Result<String>) -> Result<()> {
    for kind in Kind::ALL {
        let step = Step::start(format!("{client}, {}", kind.name()));
        let mut servers = kind.start()?;
        let shown = work(&mut servers).with_context(|| format!("{client} does not work with {}", kind.name()))?;
        step.done(shown);
    }
    Ok(())
}
