//! The figures as text: tables for the terminal, and around them the page that is kept under `docs/benchmarks`. It says
//! what was compared with what, so that no figure can be read as more than it is.

use std::fmt::Write as _;
use std::path::Path;

use super::clients::{self, KEYS, VALUE_BYTES};
use super::machine::Machine;
use super::memory::KEY_BYTES;
use super::servers::{self, FILE, TENANT};
use super::spread::Spread;
use super::subjects::{Sample, Subject};
use super::turns::{Contest, OTHERS_MAX, Outcome, Placement};

/// All that a page is made from.
#[derive(Debug)]
pub(crate) struct Findings {
    pub(crate) machine: Machine,
    pub(crate) rounds: usize,
    pub(crate) seconds: u64,
    pub(crate) body_bytes: usize,
    pub(crate) outcome: Outcome,
    pub(crate) keys: usize,
    pub(crate) bytes_per_key: f64,
}

/// What is printed.
pub(crate) fn tables(findings: &Findings) -> String {
    format!(
        "GET beside nginx, with the same body ({} bytes):\n\n{}\nPUT, and for orientation Redis (another protocol):\n\n{}\n{}\n\n{}\n",
        findings.body_bytes,
        gets(findings),
        puts(findings),
        memory(findings),
        disturbance(findings),
    )
}

/// What is kept.
pub(crate) fn page(findings: &Findings) -> String {
    let Findings { rounds, seconds, body_bytes, .. } = findings;
    format!(
        "# HTTP: kvnode beside nginx\n\nMade by `make bench WRITE=1`; do not edit. The figure to compare is the **processor time of the server for one
request**, measured while server and client share one core, so that the server is never idle: kvnode's divided by its
peer's, pair by pair, as median (least–most) of {rounds} pairs of {seconds} s each. Below 1 kvnode needs less.\n
## GET\n
Both answer with the same {body_bytes} bytes: kvnode looks the key up and writes the entry as JSON, nginx sends a file
it holds open. One key, one file.\n\n{gets}
{get_reading}\n
## PUT\n
{KEYS} keys in turn, values of {VALUE_BYTES} bytes, overwritten; kvnode answers with the whole entry. There is no peer
with the same protocol that keeps what it is sent in memory. Redis' SET of as many keys and bytes stands here for
orientation only: its protocol is shorter than HTTP, its answer is `+OK`, and so no ratio is given.\n\n{puts}
## Memory\n\n{memory}\n
## How it was measured\n\n{method}\n
{disturbance}\n\n{machine}\n
## Commands\n\n{commands}",
        gets = gets(findings),
        get_reading = get_reading(findings).trim_end(),
        puts = puts(findings),
        memory = memory(findings),
        method = METHOD,
        disturbance = disturbance(findings),
        machine = machine(&findings.machine),
        commands = commands(findings),
    )
}

const METHOD: &str = "\
- Every server has one serving thread, tied to one core; only one server is busy at a time. A pair is kvnode, then its
  peer; before the first pair each runs for a second uncounted.
- Processor time is what the kernel counted for all threads of the server (`/proc/PID/task/*/schedstat`), in user and
  kernel mode, from before the client starts to after it ended. It includes connecting, and the network's work the
  kernel did while the server ran.
- kvnode runs as it does by default: it counts every request for its metrics and gives each an id. nginx writes no
  access log.
- Throughput is what the client counted. On two cores the client, not the server, may be what is slow, so that
  throughput there says less about a server than its processor time does.
- One machine, loopback, no network between: latencies of a real network are not in these figures.";

fn contests(findings: &Findings, placement: Placement, ours: Subject) -> impl Iterator<Item = &Contest> {
    findings.outcome.contests.iter().filter(move |contest| contest.placement == placement && contest.pair.0 == ours)
}

fn throughput(sample: &Sample) -> f64 {
    sample.done.per_second / 1000.0
}

fn gets(findings: &Findings) -> String {
    let mut text = String::from(
        "| connections | kvnode, µs | nginx, µs | **kvnode ÷ nginx** | kvnode, 1000/s on one core | nginx | kvnode, 1000/s on two cores | nginx |\n\
         |---|---|---|---|---|---|---|---|\n",
    );
    for shared in contests(findings, Placement::SharedCore, Subject::KvnodeGet) {
        let (ours, theirs, ratio) = shared.spreads(|sample| sample.cpu_micros);
        let on_one = shared.spreads(throughput);
        let _ = write!(
            text,
            "| {} | {ours:.1} | {theirs:.1} | **{ratio:.2}** | {:.1} | {:.1} |",
            shared.connections, on_one.0, on_one.1
        );
        let _ = writeln!(text, "{}", on_two_cores(findings, shared));
    }
    text
}

fn puts(findings: &Findings) -> String {
    let mut text = String::from(
        "| connections | kvnode PUT, µs | Redis SET, µs | kvnode, 1000/s on one core | Redis | kvnode, 1000/s on two cores | Redis |\n\
         |---|---|---|---|---|---|---|\n",
    );
    for shared in contests(findings, Placement::SharedCore, Subject::KvnodePut) {
        let (ours, theirs, _) = shared.spreads(|sample| sample.cpu_micros);
        let on_one = shared.spreads(throughput);
        let _ =
            write!(text, "| {} | {ours:.1} | {theirs:.1} | {:.1} | {:.1} |", shared.connections, on_one.0, on_one.1);
        let _ = writeln!(text, "{}", on_two_cores(findings, shared));
    }
    text
}

/// The throughput of the same contest with the client on a core of its own; dashes where there is no second core.
fn on_two_cores(findings: &Findings, shared: &Contest) -> String {
    let same = |contest: &&Contest| contest.connections == shared.connections;
    contests(findings, Placement::CoreEach, shared.pair.0).find(same).map_or_else(
        || " – | – |".to_owned(),
        |apart| {
            let (ours, theirs, _) = apart.spreads(throughput);
            format!(" {ours:.1} | {theirs:.1} |")
        },
    )
}

/// What the table says, in words that follow from its figures.
fn get_reading(findings: &Findings) -> String {
    let mut text = String::new();
    for contest in contests(findings, Placement::SharedCore, Subject::KvnodeGet) {
        let (_, _, ratio) = contest.spreads(|sample| sample.cpu_micros);
        let connections = if contest.connections == 1 { "1 connection" } else { "many connections" };
        let _ = writeln!(text, "- With {connections}, {}", verdict(ratio));
    }
    text
}

/// A difference is only claimed when every pair shows it.
fn verdict(ratio: Spread) -> String {
    if ratio.least > 1.0 {
        format!(
            "kvnode needs more processor time than nginx in every pair, {:.2} times as much in the median.",
            ratio.median
        )
    } else if ratio.most < 1.0 {
        format!("kvnode needs less processor time than nginx in every pair, {:.2} of it in the median.", ratio.median)
    } else {
        "the pairs do not agree on which of the two needs less processor time.".to_owned()
    }
}

fn memory(findings: &Findings) -> String {
    format!(
        "{} keys of {KEY_BYTES} bytes with values of {VALUE_BYTES} bytes: the node's resident memory grew by **{:.0} bytes for each\n\
         key**, {} of them its key and value.",
        findings.keys,
        findings.bytes_per_key,
        KEY_BYTES + VALUE_BYTES
    )
}

/// How quiet the machine was.
fn disturbance(findings: &Findings) -> String {
    let samples = || {
        let rounds = findings.outcome.contests.iter().flat_map(|contest| &contest.rounds);
        rounds.flat_map(|(ours, theirs)| [ours, theirs])
    };
    let others = Spread::of(samples().map(|sample| sample.others * 100.0));
    let stolen = Spread::of(samples().map(|sample| sample.stolen * 100.0));
    let loud = samples().filter(|sample| sample.others > OTHERS_MAX).count();
    let advice =
        if loud == 0 { "" } else { " Measure on a quiet\nmachine before anything is decided by these figures." };
    format!(
        "While it was measured, other programs took {others:.1} % of the busier core in use, and other virtual machines\n\
         {stolen:.1} %. {} pairs were done again because others took more than {:.0} %; {loud} of the {} runs kept have more.{advice}",
        findings.outcome.repeats,
        OTHERS_MAX * 100.0,
        samples().count(),
    )
}

fn machine(machine: &Machine) -> String {
    let kind = if machine.hypervised { "a virtual machine" } else { "a machine" };
    let mut text = format!(
        "Taken on {kind} with {} cores ({}), {} of memory, Linux {}. Versions:\n",
        machine.cores, machine.processor, machine.memory, machine.kernel
    );
    for (name, version) in &machine.versions {
        let _ = write!(text, "\n- {name}: {version}");
    }
    text
}

fn commands(findings: &Findings) -> String {
    let Findings { rounds, seconds, keys, .. } = findings;
    let wrk = clients::wrk_flags(50, *seconds).join(" ");
    let redis = clients::redis_flags("PORT", 50, seconds * clients::REDIS_REQUESTS_PER_SECOND).join(" ");
    format!(
        "```sh
make bench WRITE=1 ROUNDS={rounds} SECONDS_EACH={seconds} KEYS={keys}
# which runs, each behind `taskset --cpu-list CORE`:
kvnode {node}
nginx -p FOLDER -c FOLDER/nginx.conf
redis-server {redis_server}
wrk {wrk} http://127.0.0.1:PORT/{TENANT}/kv/KEY
wrk {wrk} http://127.0.0.1:PORT{FILE}
wrk {wrk} --script=put.lua http://127.0.0.1:PORT/{TENANT}/kv/
redis-benchmark {redis}
```\n
nginx.conf:\n
```nginx\n{settings}```\n",
        node = servers::KVNODE_FLAGS.join(" "),
        redis_server = servers::redis_flags("PORT", "FOLDER").join(" ").replace("--save  ", "--save '' "),
        settings = servers::nginx_settings("127.0.0.1:PORT", Path::new("FOLDER")),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spread(least: f64, median: f64, most: f64) -> Spread {
        Spread { median, least, most }
    }

    #[test]
    fn a_difference_is_claimed_only_when_every_pair_shows_it() {
        assert!(verdict(spread(1.1, 1.5, 1.6)).contains("more processor time than nginx in every pair, 1.50"));
        assert!(verdict(spread(0.5, 0.6, 0.9)).contains("less"));
        assert!(verdict(spread(0.9, 1.5, 1.6)).contains("do not agree"));
    }

    #[test]
    fn a_page_has_the_ratio_of_each_pair_and_says_when_others_were_loud() {
        let sample = |cpu_micros, others| Sample {
            done: clients::Done { operations: 1, per_second: 2000.0 },
            cpu_micros,
            others,
            stolen: 0.0,
        };
        let contest = |pair, connections| Contest {
            pair,
            connections,
            placement: Placement::SharedCore,
            rounds: vec![(sample(3.0, 0.0), sample(2.0, 0.0)), (sample(8.0, 0.5), sample(4.0, 0.0))],
        };
        let findings = Findings {
            machine: Machine {
                processor: "P".into(),
                cores: 2,
                memory: "1 GiB".into(),
                kernel: "6".into(),
                hypervised: true,
                versions: vec![("wrk", "4".into())],
            },
            rounds: 2,
            seconds: 1,
            body_bytes: 300,
            outcome: Outcome {
                contests: vec![
                    contest((Subject::KvnodeGet, Subject::NginxGet), 1),
                    contest((Subject::KvnodePut, Subject::RedisSet), 1),
                ],
                repeats: 0,
            },
            keys: 1000,
            bytes_per_key: 200.4,
        };
        let page = page(&findings);
        assert!(
            page.contains(
                "| 1 | 5.5 (3.0–8.0) | 3.0 (2.0–4.0) | **1.75 (1.50–2.00)** | 2.0 (2.0–2.0) | 2.0 (2.0–2.0) | – | – |"
            ),
            "{page}"
        );
        assert!(page.contains("2 of the 8 runs kept have more") && page.contains("**200 bytes"), "{page}");
        assert!(page.contains("keepalive_requests") && page.contains("a virtual machine with 2 cores (P)"), "{page}");
    }
}
