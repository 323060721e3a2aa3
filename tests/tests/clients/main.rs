//! Programs that use the clients people use, each in its own language: they connect on both ports and in both versions
//! of the protocol, do what programs do, and find back by themselves after the server was restarted.
//! The programs stand in `tests/clients`; how they talk with the test is in [`program`].

mod program;
mod redis_tools;
mod servers;
mod workshop;

use anyhow::Result;
use kvtenant_tests::progress::Step;

use crate::program::Program;
use crate::servers::Servers;

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
    let step = Step::start("redis-cli");
    let shown = redis_tools::redis_cli(&mut Servers::redis()?)?;
    step.done(shown);
    Ok(())
}

#[test]
fn redis_benchmark_works_before_and_after_a_restart() -> Result<()> {
    let step = Step::start("redis-benchmark");
    let shown = redis_tools::redis_benchmark(&mut Servers::redis()?)?;
    step.done(shown);
    Ok(())
}

/// Proven on the servers that the client was written for.
fn works(client: &str, made: impl FnOnce() -> Result<Program>) -> Result<()> {
    let step = Step::start(client);
    step.note("getting what it needs");
    let program = made()?;
    step.note("working with redis-server");
    let shown = program.run(&mut Servers::redis()?)?;
    step.done(shown);
    Ok(())
}
