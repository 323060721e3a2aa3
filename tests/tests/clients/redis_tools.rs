//! Redis' own tools. Each call of them is a connection of its own, so a restart is no more to them than a pause.

use std::net::SocketAddr;
use std::process::Command;

use anyhow::{Result, ensure};
use kvtenant_tests::{packages, shell};

use crate::servers::Servers;

/// Enough for all of its connections to be used many times.
const REQUESTS: &str = "2000";

/// What redis-benchmark is asked to do; for each there is a line in its table.
const TESTS: &str = "set,get,incr,mset";

pub(crate) fn redis_cli(servers: &mut Servers) -> Result<String> {
    packages::ensure_programs(&[("redis-cli", "redis-tools")])?;
    for protocol in ["-2", "-3"] {
        for (address, cluster) in [(servers.plain, false), (servers.cluster, true)] {
            let cli = Cli { address, protocol, cluster, secret: servers.secret };
            cli.works()?;
            cli.says(&["SET", "kept", "kept"], "OK")?;
        }
    }
    servers.restart()?;
    let both = [(servers.plain, false), (servers.cluster, true)];
    let both = both.map(|(address, cluster)| Cli { address, protocol: "-3", cluster, secret: servers.secret });
    // Both may be ports of one server, whose keys are gone with the first work.
    both.iter().try_for_each(|cli| cli.says(&["GET", "kept"], if servers.keep { "kept" } else { "" }))?;
    both.iter().try_for_each(|cli| cli.works())?;
    Ok("plain and -c, RESP2 and RESP3, commands, --scan and --pipe".to_owned())
}

#[derive(Clone, Copy)]
struct Cli {
    address: SocketAddr,
    protocol: &'static str,
    cluster: bool,
    secret: Option<&'static str>,
}

impl Cli {
    fn works(self) -> Result<()> {
        self.says(&["PING"], "PONG")?;
        self.says(&["FLUSHALL"], "OK")?;
        self.says(&["SET", "a", "two words", "EX", "100"], "OK")?;
        self.says(&["GET", "a"], "two words")?;
        self.says(&["INCR", "n"], "1")?;
        self.says(&["INCR", "a"], "ERR value is not an integer or out of range")?;
        self.says(&["DEL", "a"], "1")?;
        // As it is read from a file, or typed.
        let typed = shell::output_with_input(&mut self.command(), b"MULTI\nSET {t}x 1\nINCR {t}x\nEXEC\n")?;
        ensure!(typed.split_whitespace().eq(["OK", "QUEUED", "QUEUED", "OK", "2"]), "redis-cli printed {typed:?}");
        let piped = shell::output_with_input(self.command().arg("--pipe"), b"SET {t}y 1\r\nSET {t}z 2\r\n")?;
        ensure!(piped.contains("errors: 0, replies: 2"), "redis-cli --pipe printed {piped:?}");
        let scanned = shell::output(self.command().args(["--scan", "--pattern", "{t}*"]))?;
        let mut keys: Vec<_> = scanned.lines().collect();
        keys.sort_unstable();
        ensure!(keys == ["{t}x", "{t}y", "{t}z"], "redis-cli --scan printed {scanned:?}");
        Ok(())
    }

    fn says(self, words: &[&str], wanted: &str) -> Result<()> {
        let said = shell::output(self.command().args(words))?;
        ensure!(said.trim_end() == wanted, "redis-cli {} printed {said:?} in place of {wanted:?}", words.join(" "));
        Ok(())
    }

    fn command(self) -> Command {
        let mut command = Command::new("redis-cli");
        command.args([self.protocol, "-h", &self.address.ip().to_string(), "-p", &self.address.port().to_string()]);
        if self.cluster {
            command.arg("-c");
        }
        if let Some(secret) = self.secret {
            command.env("REDISCLI_AUTH", secret);
        }
        command
    }
}

pub(crate) fn redis_benchmark(servers: &mut Servers) -> Result<String> {
    packages::ensure_programs(&[("redis-benchmark", "redis-tools")])?;
    measures(servers)?;
    servers.restart()?;
    measures(servers)?;
    Ok(format!("both ports, {TESTS}, pipelines of 1 and 16"))
}

/// Its figures are of no interest here.
fn measures(servers: &Servers) -> Result<()> {
    // With --cluster it refuses to measure a cluster of one node. Without, all its keys are in one slot.
    for address in [servers.plain, servers.cluster] {
        for pipeline in ["1", "16"] {
            let mut command = Command::new("redis-benchmark");
            command.args(["-h", &address.ip().to_string(), "-p", &address.port().to_string()]);
            if let Some(secret) = servers.secret {
                command.args(["-a", secret]);
            }
            command.args(["-t", TESTS, "-n", REQUESTS, "-P", pipeline, "--csv"]);
            let table = shell::output(&mut command)?;
            let measured = table.lines().filter(|line| line.starts_with('"') && !line.starts_with("\"test\"")).count();
            ensure!(measured == TESTS.split(',').count(), "redis-benchmark -P {pipeline} printed {table:?}");
        }
    }
    Ok(())
}
