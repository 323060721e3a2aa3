//! The figures as text.

use super::client::{ANSWER_WITHIN, Errors, Round};
use super::{ACTIVE, Findings, IDLE, Taken};
use crate::bench::needs::Kvnode;
use crate::bench::page::{self, table};
use crate::bench::redis_benchmark::VALUE_BYTES;
use crate::bench::servers;

/// What is printed.
pub(super) fn tables(findings: &Findings<'_>) -> String {
    format!(
        "{IDLE} idle and {ACTIVE} active connections:\n\n{}{}\n{}\n",
        figures(findings),
        failures(findings),
        disturbance(findings)
    )
}

/// What is kept.
pub(super) fn page(findings: &Findings<'_>) -> String {
    let Findings { stores, turns, seconds, .. } = findings;
    format!(
        "# Many connections at once\n
Made by `make bench WORK=connections WRITE=1`; do not edit. {IDLE} connections that do nothing and {ACTIVE} that ask for a value of
{VALUE_BYTES} bytes: how long answers take when the server has **half of the requests it could answer**, and whether any fails.
As median (least–most) of {rounds} rounds.
{left_out}
{figures}{failures}
## How it was measured\n
- Each round opens all connections anew and has an answer on each of them. Then the active ones send for {seconds} s, each its
  next request when it has the last answer: the top rate. Then for {seconds} s at half of that rate, evenly spread.
- Every idle connection has to give an answer again before and after the second load.
- A latency is the time from a request to the last byte of its answer, seen by the client. When an answer holds up the
  request after it, that one's time counts from when it should have been sent. The client's timer ticks in milliseconds:
  what falls into the same one is sent together, and answered one after the other.
- An error is a connection that was not made or was closed, an answer that is not the value, or none in {patience} s.
- Every server has one serving thread, tied to one core. The client is our own, with one thread on another core if there
  is one; it needs longer for a request than a server does, so that top rates say more about it than about servers.
- One machine, loopback, no network between.\n
{disturbance}\n\n{machine}\n
## Commands\n
```sh\nmake bench WORK=connections WRITE=1 ROUNDS={rounds} SECONDS_EACH={seconds}\n# which runs, each behind `taskset --cpu-list CORE`:\n{node}{commands}```\n",
        rounds = turns.rounds,
        left_out = page::left_out(&stores.left_out),
        figures = figures(findings),
        failures = failures(findings),
        patience = ANSWER_WITHIN.as_secs(),
        disturbance = disturbance(findings),
        machine = page::machine(&findings.machine),
        node = stores.kvnode().map(http_command).unwrap_or_default(),
        commands = stores.commands(),
    )
}

/// Of the node that is asked over HTTP.
fn http_command(kvnode: &Kvnode) -> String {
    format!("kvnode {}\n", servers::kvnode_flags(kvnode, "0").join(" "))
}

fn figures(findings: &Findings<'_>) -> String {
    let headings = ["server", "top, 1000/s", "half, 1000/s", "p50, ms", "**p99, ms**", "p99.9, ms", "**errors**"];
    let rows = findings.names.iter().enumerate().map(|(subject, name)| {
        let spread = |figure: fn(&Round) -> f64| findings.rounds.spread(subject, |taken: &Taken| figure(&taken.round));
        vec![
            name.clone(),
            format!("{:.1}", spread(|round| round.top_per_second / 1000.0)),
            format!("{:.1}", spread(|round| round.half_per_second / 1000.0)),
            format!("{:.2}", spread(|round| milliseconds(round, 500))),
            format!("**{:.2}**", spread(|round| milliseconds(round, 990))),
            format!("{:.2}", spread(|round| milliseconds(round, 999))),
            format!("**{}**", errors(findings, subject).map(|errors| errors.count).sum::<usize>()),
        ]
    });
    table(&headings.map(str::to_owned), rows)
}

/// No latency at all when nothing was answered: that must not look quick.
fn milliseconds(round: &Round, per_mille: usize) -> f64 {
    round.half.quantile(per_mille).map_or(f64::INFINITY, |latency| latency.as_secs_f64()) * 1000.0
}

/// What went wrong first at each server, if anything did.
fn failures(findings: &Findings<'_>) -> String {
    let of = |(subject, name): (usize, &String)| {
        let first = errors(findings, subject).find_map(|errors| errors.first.clone())?;
        Some(format!("\n- {name}: the first error was: {first}\n"))
    };
    findings.names.iter().enumerate().filter_map(of).collect()
}

fn errors<'f>(findings: &'f Findings<'_>, subject: usize) -> impl Iterator<Item = &'f Errors> {
    findings.rounds.0.iter().map(move |round| &round[subject].round.errors)
}

fn disturbance(findings: &Findings<'_>) -> String {
    page::disturbance(findings.rounds.samples(), findings.turns.repeats)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::bench::connections::client::Latencies;
    use crate::bench::page::made_up_machine;
    use crate::bench::sample::made_up;
    use crate::bench::stores::Stores;
    use crate::bench::turns::{Rounds, Turns};

    fn taken(errors: Errors, half: Vec<Duration>) -> Taken {
        let half = Latencies::of(half);
        let round = Round { top_per_second: 9000.0, answers: 3, half_per_second: 4500.0, half, errors };
        Taken { sample: made_up(1.0, 0.0), round }
    }

    fn written(rounds: Vec<Vec<Taken>>) -> String {
        let stores = Stores::made_up(&[], &[]);
        let names = vec!["kvnode, HTTP".to_owned()];
        let (machine, turns) = (made_up_machine(), Turns::new(2));
        page(&Findings { stores: &stores, machine, turns, seconds: 1, names, rounds: Rounds(rounds) })
    }

    #[test]
    fn a_page_has_latencies_and_the_errors_of_all_rounds() {
        let wrong = Errors { count: 2, first: Some("the server closed the connection".to_owned()) };
        let half = || [1, 2, 3].map(Duration::from_millis).to_vec();
        let page = written(vec![vec![taken(wrong.clone(), half())], vec![taken(wrong, half())]]);
        let row = "| kvnode, HTTP | 9.0 (9.0–9.0) | 4.5 (4.5–4.5) | 2.00 (2.00–2.00) | **3.00 (3.00–3.00)** | 3.00 (3.00–3.00) | **4** |";
        assert!(page.contains(row), "{page}");
        assert!(page.contains("- kvnode, HTTP: the first error was: the server closed the connection"), "{page}");
    }

    #[test]
    fn a_server_that_answered_nothing_does_not_look_quick() {
        let page = written(vec![vec![taken(Errors::default(), Vec::new())]]);
        assert!(page.contains("**inf (inf–inf)**") && !page.contains("first error"), "{page}");
    }
}
