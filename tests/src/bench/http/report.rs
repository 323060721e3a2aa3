//! The figures as text: tables for the terminal, and around them the page that is kept under `docs/benchmarks`. It says
//! what was compared with what, so that no figure can be read as more than it is.

use std::fmt::Write as _;
use std::path::Path;

use super::subjects::{self, Subject, USER_KEYS};
use super::{Contest, Findings, GETS, OWN_PAIRS, PUTS};
use crate::bench::needs::Kvnode;
use crate::bench::page::{self, PROCESSOR_TIME};
use crate::bench::redis_benchmark::{self, VALUE_BYTES};
use crate::bench::sample::Sample;
use crate::bench::servers::{self, FILE, FileIs, SECRET_FILE, TENANT};
use crate::bench::turns::Placement;
use crate::bench::wrk::{self, KEYS};

/// What is printed.
pub(crate) fn tables(findings: &Findings) -> String {
    format!(
        "GET beside nginx, with the same body ({} bytes):\n\n{}\nPUT, and for orientation Redis (another protocol):\n\n{}\n\
         Beside our own GET:\n\n{}\n{}\n",
        findings.body_bytes,
        gets(findings),
        puts(findings),
        own(findings),
        disturbance(findings),
    )
}

/// What is kept.
pub(crate) fn page(findings: &Findings, kvnode: &Kvnode) -> String {
    let Findings { turns, seconds, body_bytes, .. } = findings;
    format!(
        "# HTTP: kvnode beside nginx\n\nMade by `make bench WORK=http WRITE=1`; do not edit. The figure to compare is the **processor time of the server for
one request**, measured while server and client share one core, so that the server is never idle: kvnode's divided by
its peer's, round by round, as median (least–most) of {rounds} rounds of {seconds} s each. Below 1 kvnode needs less.\n
## GET\n
Both answer with the same {body_bytes} bytes: kvnode looks the key up and writes the entry as JSON, nginx sends a file.
One key, one file. nginx is there twice: as it serves files unless it is told otherwise, opening the file for each
request, and with the settings that were fastest here, holding it open.\n\n{gets}
{get_reading}\n
## PUT\n
{KEYS} keys in turn, values of {VALUE_BYTES} bytes, overwritten; kvnode answers with the whole entry. There is no peer
with the same protocol that keeps what it is sent in memory. Redis' SET of as many keys and bytes stands here for
orientation only: its protocol is shorter than HTTP, its answer is `+OK`, and so no ratio is given.\n\n{puts}
## Beside our own GET

What else a client may ask for, divided by the plain GET above: a PUT, and the GET of the same entry by an account, with a
token that is looked at in each request.\n\n{own}
## How it was measured\n\n{METHOD_BEFORE}\n{PROCESSOR_TIME}\n{METHOD_AFTER}\n
{disturbance}\n\n{machine}\n
## Commands\n\n{commands}",
        rounds = turns.rounds,
        gets = gets(findings),
        get_reading = get_reading(findings).trim_end(),
        puts = puts(findings),
        own = own(findings),
        disturbance = disturbance(findings),
        machine = page::machine(&findings.machine),
        commands = commands(findings, kvnode),
    )
}

const METHOD_BEFORE: &str = "\
- Every server has one serving thread, tied to one core; only one server is busy at a time. A round is kvnode, then its
  peer; before the first round each runs for a second uncounted.";

const METHOD_AFTER: &str = "\
- kvnode runs as it does by default: it counts every request for its metrics and gives each an id. nginx writes no
  access log.
- Throughput is what the client counted. On two cores the client, not the server, may be what is slow, so that
  throughput there says less about a server than its processor time does.
- One machine, loopback, no network between: latencies of a real network are not in these figures.";

fn contests(findings: &Findings, placement: Placement, pair: (Subject, Subject)) -> impl Iterator<Item = &Contest> {
    findings.contests.iter().filter(move |contest| contest.placement == placement && contest.pair == pair)
}

fn gets(findings: &Findings) -> String {
    let mut text = String::from(
        "| nginx' file | connections | kvnode, µs | nginx, µs | **kvnode ÷ nginx** | kvnode, 1000/s on one core | nginx | kvnode, 1000/s on two cores | nginx |\n\
         |---|---|---|---|---|---|---|---|---|\n",
    );
    for shared in GETS.into_iter().flat_map(|pair| contests(findings, Placement::SharedCore, pair)) {
        let (ours, theirs, ratio) = shared.spreads(|sample| sample.cpu_micros);
        let on_one = shared.spreads(Sample::throughput);
        let _ = write!(
            text,
            "| {} | {} | {ours:.1} | {theirs:.1} | **{ratio:.2}** | {:.1} | {:.1} |",
            file(shared),
            shared.connections,
            on_one.0,
            on_one.1
        );
        let _ = writeln!(text, "{}", on_two_cores(findings, shared));
    }
    text
}

fn file(contest: &Contest) -> &'static str {
    if contest.pair.1 == Subject::NginxHeldGet { "held open" } else { "opened each time" }
}

fn puts(findings: &Findings) -> String {
    let mut text = String::from(
        "| connections | kvnode PUT, µs | Redis SET, µs | kvnode, 1000/s on one core | Redis | kvnode, 1000/s on two cores | Redis |\n\
         |---|---|---|---|---|---|---|\n",
    );
    for shared in contests(findings, Placement::SharedCore, PUTS) {
        let (ours, theirs, _) = shared.spreads(|sample| sample.cpu_micros);
        let on_one = shared.spreads(Sample::throughput);
        let _ =
            write!(text, "| {} | {ours:.1} | {theirs:.1} | {:.1} | {:.1} |", shared.connections, on_one.0, on_one.1);
        let _ = writeln!(text, "{}", on_two_cores(findings, shared));
    }
    text
}

fn own(findings: &Findings) -> String {
    let mut text = String::from("| request | connections | µs | GET, µs | **÷ GET** |\n|---|---|---|---|---|\n");
    for contest in OWN_PAIRS.into_iter().flat_map(|pair| contests(findings, Placement::SharedCore, pair)) {
        let (ours, get, ratio) = contest.spreads(|sample| sample.cpu_micros);
        let (name, connections) = (contest.pair.0.name(), contest.connections);
        let _ = writeln!(text, "| {name} | {connections} | {ours:.1} | {get:.1} | **{ratio:.2}** |");
    }
    text
}

/// The throughput of the same contest with the client on a core of its own; dashes where there is no second core.
fn on_two_cores(findings: &Findings, shared: &Contest) -> String {
    let same = |contest: &&Contest| contest.connections == shared.connections;
    contests(findings, Placement::CoreEach, shared.pair).find(same).map_or_else(
        || " – | – |".to_owned(),
        |apart| {
            let (ours, theirs, _) = apart.spreads(Sample::throughput);
            format!(" {ours:.1} | {theirs:.1} |")
        },
    )
}

/// What the table says, in words that follow from its figures.
fn get_reading(findings: &Findings) -> String {
    let mut text = String::new();
    for contest in GETS.into_iter().flat_map(|pair| contests(findings, Placement::SharedCore, pair)) {
        let (_, _, ratio) = contest.spreads(|sample| sample.cpu_micros);
        let connections = if contest.connections == 1 { "1 connection" } else { "many connections" };
        let verdict = page::verdict(ratio, "kvnode", "nginx", "processor time");
        let _ = writeln!(text, "- Beside a file {}, with {connections}, {verdict}", file(contest));
    }
    text
}

fn disturbance(findings: &Findings) -> String {
    page::disturbance(findings.contests.iter().flat_map(|contest| contest.rounds.samples()), findings.turns.repeats)
}

fn commands(findings: &Findings, kvnode: &Kvnode) -> String {
    let (rounds, seconds) = (findings.turns.rounds, findings.seconds);
    let wrk = wrk::flags(50, seconds).join(" ");
    let redis =
        redis_benchmark::flags("PORT", subjects::redis_set(50), seconds * redis_benchmark::PER_SECOND).join(" ");
    format!(
        "```sh
make bench WORK=http WRITE=1 ROUNDS={rounds} SECONDS_EACH={seconds}
# which runs, each behind `taskset --cpu-list CORE`:
kvnode {node} {SECRET_FILE} FOLDER/secret
nginx -p FOLDER/nginx -c FOLDER/nginx/nginx.conf
nginx -p FOLDER/nginx-holding -c FOLDER/nginx-holding/nginx.conf
redis-server {redis_server}
wrk {wrk} http://127.0.0.1:PORT/{TENANT}/kv/KEY
wrk {wrk} http://127.0.0.1:PORT{FILE}
wrk {wrk} --header 'Authorization: Bearer TOKEN' http://127.0.0.1:PORT{USER_KEYS}/KEY
wrk {wrk} --script=put.lua http://127.0.0.1:PORT/{TENANT}/kv/
redis-benchmark {redis}
```\n
nginx.conf of the first, and what the second has in place of `sendfile` and `tcp_nopush`:\n
```nginx\n{settings}```\n
```nginx\n{held}```\n",
        node = servers::kvnode_flags(kvnode, "0").join(" "),
        redis_server = servers::redis_flags("PORT", "FOLDER").join(" ").replace("--save  ", "--save '' "),
        settings = servers::nginx_settings("127.0.0.1:PORT", Path::new("FOLDER"), FileIs::OpenedEachTime),
        held = FileIs::HeldOpen.settings(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::page::made_up_machine;
    use crate::bench::sample::made_up;
    use crate::bench::turns::{Rounds, Turns};

    #[test]
    fn a_page_has_the_ratio_of_each_round() {
        let contest = |pair, connections| Contest {
            pair,
            connections,
            placement: Placement::SharedCore,
            rounds: Rounds(vec![
                vec![made_up(3.0, 0.0), made_up(2.0, 0.0)],
                vec![made_up(8.0, 0.5), made_up(4.0, 0.0)],
            ]),
        };
        let findings = Findings {
            machine: made_up_machine(),
            turns: Turns::new(2),
            seconds: 1,
            body_bytes: 300,
            contests: vec![
                contest((Subject::KvnodeGet, Subject::NginxGet), 1),
                contest((Subject::KvnodePut, Subject::RedisSet), 1),
                contest((Subject::KvnodeUserGet, Subject::KvnodeGet), 50),
            ],
        };
        let page = page(&findings, &Kvnode::that_says("--port"));
        assert!(
            page.contains(
                "| opened each time | 1 | 5.5 (3.0–8.0) | 3.0 (2.0–4.0) | **1.75 (1.50–2.00)** | 2.0 (2.0–2.0) | 2.0 (2.0–2.0) | – | – |"
            ),
            "{page}"
        );
        assert!(
            page.contains(
                "| kvnode, HTTP GET with a token | 50 | 5.5 (3.0–8.0) | 3.0 (2.0–4.0) | **1.75 (1.50–2.00)** |"
            ),
            "{page}"
        );
        assert!(page.contains("3 of the 12 runs kept have more"), "{page}");
        assert!(page.contains("keepalive_requests") && page.contains("a virtual machine with 2 cores (P)"), "{page}");
    }
}
