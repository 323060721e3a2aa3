//! The promise of `always` over the Redis protocol: pipelines of counting, cut off by a kill. A counter must be at the last
//! number that was answered, or as far behind it as commands were still unanswered.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::program::Program;

const CLIENTS: usize = 4;

/// Commands on their way at once.
const PIPELINE: u64 = 16;

const ROUNDS_DEFAULT: u64 = 6;

fn start(folder: &Path, port: u16) -> Program {
    let (folder, port) = (folder.to_str().expect("a plain path"), port.to_string());
    let flags = ["--port", "0", "--metrics-port", "0", "--threads", "2", "--resp-port", &port];
    let flags = [&flags[..], &["--data-dir", folder, "--persistence", "always"]].concat();
    let mut program = Program::start(&flags, &[]);
    program.wait_for_line("ready");
    program
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("it is bound").port()
}

/// Counts until the node is gone; notes each number that was answered.
fn count(address: SocketAddr, client: usize, counted: &AtomicU64, stop: &AtomicBool) {
    let Ok(stream) = TcpStream::connect(address) else { return };
    let mut stream = BufReader::new(stream);
    let batch = format!("INCR counter:{client}\r\n").repeat(usize::try_from(PIPELINE).expect("a few"));
    let mut line = String::new();
    while !stop.load(Ordering::Relaxed) && stream.get_mut().write_all(batch.as_bytes()).is_ok() {
        for _ in 0..PIPELINE {
            line.clear();
            if !matches!(stream.read_line(&mut line), Ok(read) if read > 0) || !line.ends_with("\r\n") {
                return;
            }
            let number = line.trim_end().strip_prefix(':').and_then(|number| number.parse().ok());
            let number: u64 = number.unwrap_or_else(|| panic!("{line:?} is no number"));
            assert_eq!(number, counted.fetch_add(1, Ordering::Relaxed) + 1, "a count was lost or came twice");
        }
    }
}

fn read(address: SocketAddr, client: usize) -> u64 {
    let mut stream = BufReader::new(TcpStream::connect(address).expect("the node listens"));
    stream.get_mut().write_all(format!("INCRBY counter:{client} 0\r\n").as_bytes()).expect("the node reads");
    let mut line = String::new();
    stream.read_line(&mut line).expect("an answer");
    line.trim_end().strip_prefix(':').and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("{line:?}"))
}

/// C135, R16
#[test]
fn a_pipeline_cut_off_by_a_kill_has_lost_nothing_that_was_answered() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let port = free_port();
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let counted: Vec<_> = (0..CLIENTS).map(|_| AtomicU64::new(0)).collect();
    let rounds = std::env::var("ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(ROUNDS_DEFAULT);
    let mut program = start(folder.path(), port);
    for round in 1..=rounds {
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for (client, counted) in counted.iter().enumerate() {
                let stop = &stop;
                scope.spawn(move || count(address, client, counted, stop));
            }
            let lot: u64 = u64::wrapping_mul(round, 0x9e37_79b9_7f4a_7c15) >> 40;
            assert!(!program.ends_within(Duration::from_millis(50 + lot % 400)), "the node ended by itself");
            program.signal(Signal::SIGKILL);
            stop.store(true, Ordering::Relaxed);
        });
        program.wait();
        program = start(folder.path(), port);
        for (client, counted) in counted.iter().enumerate() {
            let (found, answered) = (read(address, client), counted.load(Ordering::Relaxed));
            let possible = answered..=answered + PIPELINE;
            assert!(possible.contains(&found), "counter {client} is {found} after {answered} was answered");
            counted.store(found, Ordering::Relaxed);
        }
    }
    assert!(counted.iter().all(|counted| counted.load(Ordering::Relaxed) > 0), "some never counted");
    program.signal(Signal::SIGTERM);
    assert_eq!(program.wait().code(), Some(0));
}
