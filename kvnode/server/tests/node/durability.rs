//! What outlives the process: real programs on real folders, killed without warning while clients write. `ROUNDS` sets how
//! often (`make durability` kills two hundred times each way).

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use kvnode::clock::Clock;
use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::kept_connection::Connection;
use crate::program::{Program, run};

const ROUNDS_DEFAULT: u64 = 6;

const WRITERS: u64 = 4;

/// Few keys, so that each is written, deleted and written again many times.
const KEYS_OF_A_WRITER: u64 = 12;

fn start(folder: &Path, mode: &str) -> Program {
    let folder = folder.to_str().expect("a plain path");
    let flags = ["--port", "0", "--metrics-port", "0", "--threads", "2", "--data-dir", folder, "--persistence", mode];
    let mut program = Program::start(&flags, &[]);
    program.wait_for_line("ready");
    program
}

fn now() -> Instant {
    Clock::default().instant()
}

/// What a client knows of a key.
#[derive(Clone, Debug, Default)]
struct Known {
    /// Each state that was confirmed, and when.
    confirmed: Vec<(Instant, State)>,
    /// Sent, and not answered when the node was killed.
    uncertain: Option<State>,
}

/// None: deleted. A confirmed deletion tells no version.
#[derive(Clone, Debug, Default, PartialEq)]
struct State {
    value: Option<u64>,
    version: u64,
}

/// Writes until it is told to stop or the node is gone.
fn write(writer: u64, round: u64, address: std::net::SocketAddr, keys: &mut BTreeMap<u64, Known>, stop: &AtomicBool) {
    let Ok(mut connection) = Connection::open(address) else { return };
    let mut number = round << 32 | writer << 24;
    while !stop.load(Ordering::Relaxed) {
        number += 1;
        let key = number % KEYS_OF_A_WRITER;
        let known = keys.entry(key).or_default();
        let path = path(writer, key);
        let deletes = number.is_multiple_of(5);
        let last = known.confirmed.last().map(|(_, state)| state.clone()).unwrap_or_default();
        // Where nothing is there, a deletion does nothing and uses up no version.
        let acts = !deletes || last.value.is_some();
        let next = State { value: (!deletes).then_some(number), version: last.version + u64::from(acts) };
        known.uncertain = Some(next.clone());
        let answer = if deletes {
            connection.send("DELETE", &path, "")
        } else {
            let body = json!({"value": number, "ttl": 100_000 + key, "tags": {"writer": writer.to_string()}});
            connection.send("PUT", &path, &body.to_string())
        };
        let Ok((status, body)) = answer else { return };
        assert_eq!(status, 200, "{body}");
        let body: Value = serde_json::from_str(&body).expect("JSON");
        let state = if deletes {
            assert_eq!(body["existed"], acts, "{body}");
            next
        } else {
            let version = body["version"].as_u64().expect("a number");
            assert!(version >= next.version, "version {version} of {path} was there before: {known:?}");
            State { value: Some(number), version }
        };
        known.uncertain = None;
        known.confirmed.push((now(), state));
    }
}

fn path(writer: u64, key: u64) -> String {
    format!("/dev/kv/w{writer}-{key}")
}

/// Every key must be as it was confirmed last before `until`, or as it became later.
fn check(address: std::net::SocketAddr, all: &mut [BTreeMap<u64, Known>], until: Option<Instant>) {
    let mut connection = Connection::open(address).expect("the node listens");
    for (writer, keys) in (0..).zip(all) {
        for (key, known) in keys {
            let (status, body) = connection.send("GET", &path(writer, *key), "").expect("an answer");
            let body: Value = serde_json::from_str(&body).expect("JSON");
            let found = (status == 200).then(|| body["value"].as_u64().expect("a number"));
            let promised = known.confirmed.iter().rposition(|(when, _)| until.is_none_or(|until| *when <= until));
            let allowed = known.confirmed[promised.unwrap_or(0)..].iter().map(|(_, state)| state);
            let allowed: Vec<&State> = allowed.chain(&known.uncertain).collect();
            let state = allowed.iter().find(|state| state.value == found).map(|state| (*state).clone());
            let nothing_promised = promised.is_none() && found.is_none();
            assert!(state.is_some() || nothing_promised, "{writer}-{key}: {status} {body}, and not one of {allowed:?}");
            if found.is_some() {
                assert_eq!(body["metadata"]["tags"]["writer"], writer.to_string(), "tags are kept");
                assert_eq!(body["metadata"]["ttl"], 100_000 + key, "the time to live is kept");
                assert!(
                    body["version"].as_u64() >= state.as_ref().map(|state| state.version),
                    "{body} after {state:?}"
                );
            }
            let version = body["version"].as_u64().or(state.map(|state| state.version)).unwrap_or(0);
            known.confirmed = vec![(now(), State { value: found, version })];
            known.uncertain = None;
        }
    }
}

/// How often to kill, and after how long, in an order that looks like chance and is the same each time.
fn rounds() -> impl Iterator<Item = (u64, u64)> {
    let rounds = std::env::var("ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(ROUNDS_DEFAULT);
    (1..=rounds).map(|round| (round, round.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40))
}

fn kill_and_look(mode: &str, least_ms: u64, most_ms: u64, may_lose: Duration) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let known: Vec<_> = (0..WRITERS).map(|_| Mutex::new(BTreeMap::new())).collect();
    let mut program = start(folder.path(), mode);
    for (round, lot) in rounds() {
        let stop = AtomicBool::new(false);
        let killed = std::thread::scope(|scope| {
            for (writer, keys) in (0..).zip(&known) {
                let (stop, address) = (&stop, program.address);
                scope.spawn(move || write(writer, round, address, &mut keys.lock().expect("no panic"), stop));
            }
            // Time has to pass: the moment of the kill is what this is about.
            let ended = program.ends_within(Duration::from_millis(least_ms + lot % (most_ms - least_ms)));
            assert!(!ended, "the node ended by itself");
            program.signal(Signal::SIGKILL);
            let killed = now();
            stop.store(true, Ordering::Relaxed);
            killed
        });
        program.wait();
        let mut all: Vec<_> = known.iter().map(|keys| keys.lock().expect("no panic").clone()).collect();
        let confirmed: usize = all.iter().flat_map(BTreeMap::values).map(|known| known.confirmed.len()).sum();
        assert!(confirmed > 0, "nothing was ever written");
        program = start(folder.path(), mode);
        let until =
            (may_lose > Duration::ZERO).then(|| killed.checked_sub(may_lose).expect("the machine runs for longer"));
        check(program.address, &mut all, until);
        for (keys, checked) in known.iter().zip(all) {
            *keys.lock().expect("no panic") = checked;
        }
    }
    program.signal(Signal::SIGTERM);
    assert_eq!(program.wait().code(), Some(0));
}

/// C135, R16
#[test]
fn killed_at_any_moment_a_node_that_syncs_always_loses_nothing_it_confirmed() {
    kill_and_look("always", 20, 500, Duration::ZERO);
}

/// C135
#[test]
fn killed_at_any_moment_a_node_that_syncs_every_second_loses_at_most_the_last_one() {
    kill_and_look("everysec", 1100, 2000, Duration::from_secs(1));
}

/// C135, R2
#[test]
fn a_stopped_node_comes_back_with_everything_as_it_was() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for mode in ["everysec", "always"] {
        let mut program = start(folder.path(), mode);
        let mut connection = Connection::open(program.address).expect("the node listens");
        let mut send = |method, path: &str, body| connection.send(method, path, body).expect("an answer");
        let (_, first) = send("PUT", "/dev/kv/kept", r#"{"value":{"deep":[1,2.50,"x"]},"tags":{"a":"b"}}"#);
        let deleted = send("PUT", "/dev/kv/gone", r#"{"value":1}"#);
        assert_eq!(deleted.0, 200);
        assert_eq!(send("DELETE", "/dev/kv/gone", "").0, 200);
        assert_eq!(send("PUT", "/dev/kv/short", r#"{"value":1,"ttl":1}"#).0, 200);
        let (_, before) = send("GET", "/dev/kv/kept", "");
        let (_, status) = send("GET", "/admin/status", "");
        program.signal(Signal::SIGTERM);
        assert_eq!(program.wait().code(), Some(0));

        let mut program = start(folder.path(), mode);
        let mut connection = Connection::open(program.address).expect("the node listens");
        let mut send = |method, path: &str, body| connection.send(method, path, body).expect("an answer");
        assert_eq!(send("GET", "/dev/kv/kept", "").1, before, "not a character has changed");
        assert_eq!(send("GET", "/dev/kv/gone", "").0, 404);
        let version = |text: &str| serde_json::from_str::<Value>(text).expect("JSON")["version"].as_u64();
        let again = send("PUT", "/dev/kv/gone", r#"{"value":2}"#).1;
        assert!(version(&again) > version(&deleted.1).map(|version| version + 1), "a version came twice: {again}");
        assert!(version(&send("PUT", "/dev/kv/kept", r#"{"value":1}"#).1) > version(&first));
        let identity = |text: &str| serde_json::from_str::<Value>(text).expect("JSON");
        let (before, after) = (identity(&status), identity(&send("GET", "/admin/status", "").1));
        assert_eq!(before["node_id"], after["node_id"]);
        assert_eq!(before["incarnation"].as_u64().map(|number| number + 1), after["incarnation"].as_u64());
        program.signal(Signal::SIGTERM);
        assert_eq!(program.wait().code(), Some(0));
    }
}

#[test]
fn a_damaged_record_is_named_and_only_skipped_when_asked_to() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().to_str().expect("a plain path");
    let mut program = start(folder.path(), "always");
    let mut connection = Connection::open(program.address).expect("the node listens");
    for number in 0..20 {
        let body = format!(r#"{{"value":"needle-{number:02}"}}"#);
        assert_eq!(connection.send("PUT", &format!("/dev/kv/k{number}"), &body).expect("an answer").0, 200);
    }
    program.signal(Signal::SIGKILL);
    program.wait();
    let file = folder.path().join("log/0000000001.log");
    let mut bytes = std::fs::read(&file).expect("it is there");
    let needle = b"needle-07";
    let position = bytes.windows(needle.len()).position(|part| part == needle).expect("it was written");
    bytes[position] ^= 4;
    std::fs::write(&file, bytes).expect("room on the disk");

    let flags = ["--tenant", "dev", "--bind", "127.0.0.1", "--port", "0", "--metrics-port", "0", "--data-dir", path];
    let refused = run(&[&flags[..], &["--persistence", "always"]].concat(), &[]);
    let sentence = String::from_utf8(refused.stderr).expect("UTF-8");
    assert_eq!(refused.status.code(), Some(2), "{sentence}");
    for word in ["0000000001.log", "offset", "damaged", "kvnode ctl check", "--recover skip-damaged"] {
        assert!(sentence.contains(word), "{sentence:?} does not name {word:?}");
    }
    assert_eq!(sentence.lines().count(), 1, "{sentence:?} is not one sentence");

    let checked = run(&["ctl", "check", "--data-dir", path], &[]);
    let report = String::from_utf8(checked.stdout).expect("UTF-8");
    assert_eq!(checked.status.code(), Some(1), "{report}");
    assert!(report.contains("0000000001.log at offset") && report.contains("1 place is damaged"), "{report}");

    let flags = ["--port", "0", "--metrics-port", "0", "--data-dir", path, "--persistence", "always"];
    let mut program = Program::start(&[&flags[..], &["--recover", "skip-damaged"]].concat(), &[]);
    let line = program.wait_for_line("going on without what is damaged");
    assert!(line["damage"].as_str().is_some_and(|damage| damage.contains("0000000001.log at offset")), "{line}");
    program.wait_for_line("the log begins with a new snapshot");
    let mut connection = Connection::open(program.address).expect("the node listens");
    for number in 0..20 {
        let (status, body) = connection.send("GET", &format!("/dev/kv/k{number}"), "").expect("an answer");
        assert_eq!(status, if number == 7 { 404 } else { 200 }, "{body}");
    }
    program.signal(Signal::SIGTERM);
    assert_eq!(program.wait().code(), Some(0));
    let checked = run(&["ctl", "check", "--data-dir", path], &[]);
    assert_eq!(checked.status.code(), Some(0), "{}", String::from_utf8_lossy(&checked.stdout));
    start(folder.path(), "always");
}

#[test]
fn a_folder_in_use_or_of_no_use_is_refused_with_a_sentence() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().to_str().expect("a plain path");
    let _program = start(folder.path(), "everysec");
    let free = ["--tenant", "dev", "--bind", "127.0.0.1", "--port", "0", "--metrics-port", "0"];
    for (flags, words) in [
        (&["--data-dir", path, "--persistence", "always"][..], &["in use by another kvnode", path][..]),
        (&["--data-dir", "/proc/nowhere", "--persistence", "always"], &["/proc/nowhere", "cannot be used"]),
        (&["--persistence", "always"], &["--persistence", "--data-dir"]),
        (&["--data-dir", path, "--recover", "skip-damaged"], &["--recover", "--persistence"]),
        (&["--data-dir", path, "--persistence", "sometimes"], &["--persistence", "'sometimes'"]),
    ] {
        let refused = run(&[&free[..], flags].concat(), &[]);
        let sentence = String::from_utf8(refused.stderr).expect("UTF-8");
        assert_eq!(refused.status.code(), Some(2), "{flags:?}: {sentence}");
        assert!(words.iter().all(|word| sentence.contains(word)), "{sentence:?} does not name {words:?}");
    }
    let checked = run(&["ctl", "check", "--data-dir", path], &[]);
    assert_eq!(checked.status.code(), Some(2), "a folder in use cannot be checked");
    assert!(String::from_utf8_lossy(&checked.stderr).contains("in use"));
    let checked = run(&["ctl", "check", "--data-dir", "/nowhere"], &[]);
    assert_eq!(checked.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&checked.stderr).contains("no data folder at /nowhere"));
}

/// Old segments make way for snapshots while clients write, and a kill at any moment of that loses nothing.
#[test]
fn a_log_that_is_rewritten_under_load_stays_short_and_whole() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let value = "x".repeat(400_000);
    let mut last = BTreeMap::new();
    for round in 0..2 {
        let mut program = start(folder.path(), "everysec");
        let mut connection = Connection::open(program.address).expect("the node listens");
        for (key, (version, number)) in &last {
            let (_, body) = connection.send("GET", &format!("/dev/kv/k{key}"), "").expect("an answer");
            let body: Value = serde_json::from_str(&body).expect("JSON");
            assert!(body["version"].as_u64() >= Some(*version), "k{key} was lost in round {round}");
            let text = body["value"].as_str().expect("text");
            let found: u64 = text.split('-').next().and_then(|number| number.parse().ok()).expect("a number");
            assert!(found >= *number, "k{key} is older than it was");
        }
        for number in 0..200_u64 {
            let key = number % 10;
            let number = round * 1000 + number;
            let body = json!({"value": format!("{number}-{value}")}).to_string();
            let (status, body) = connection.send("PUT", &format!("/dev/kv/k{key}"), &body).expect("an answer");
            assert_eq!(status, 200, "{body}");
            let body: Value = serde_json::from_str(&body).expect("JSON");
            last.insert(key, (body["version"].as_u64().expect("a number"), number));
        }
        // What is confirmed is on the disk within a second; the kill comes after that.
        assert!(!program.ends_within(Duration::from_millis(1200)), "the node ended by itself");
        program.signal(Signal::SIGKILL);
        program.wait();
    }
    let files = std::fs::read_dir(folder.path().join("log")).expect("it is there");
    let files: Vec<_> = files.map(|file| file.expect("it is there")).collect();
    let is_snapshot = |file: &std::fs::DirEntry| file.path().extension().is_some_and(|kind| kind == "snapshot");
    assert!(files.iter().any(is_snapshot), "no snapshot was taken");
    let bytes: u64 = files.iter().map(|file| file.metadata().expect("it is there").len()).sum();
    assert!(bytes < 100 << 20, "the log has {bytes} bytes for 4 MB of data");
    start(folder.path(), "everysec");
}
