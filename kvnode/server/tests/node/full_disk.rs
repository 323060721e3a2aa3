//! A disk without room: writes are refused and say so, reads go on, and writes go on by themselves once there is room.

use std::path::{Path, PathBuf};

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sys::signal::Signal;
use nix::unistd::geteuid;

use crate::kept_connection::Connection;
use crate::program::Program;
use crate::redis::wire::Wire;

/// A small disk of its own, which is gone with the test however that ends.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// None where this user may not mount.
    fn new(folder: &Path, mebibytes: u32) -> Option<Self> {
        let size = format!("size={mebibytes}m");
        let mounted = mount(Some("tmpfs"), folder, Some("tmpfs"), MsFlags::empty(), Some(size.as_str()));
        mounted.is_ok().then(|| Self(folder.to_owned()))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        umount2(&self.0, MntFlags::MNT_DETACH).expect("it was mounted");
    }
}

#[test]
fn a_full_disk_refuses_writes_serves_reads_and_recovers_by_itself() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let Some(disk) = SmallDisk::new(folder.path(), 96) else {
        assert!(!geteuid().is_root(), "root may mount a small disk");
        println!("skipped: only root can mount a small disk to fill");
        return;
    };
    for mode in ["everysec", "always"] {
        let ballast = disk.0.join("ballast");
        std::fs::write(&ballast, vec![0; 40 << 20]).expect("room on the disk");
        let data = disk.0.join(mode);
        let path = data.to_str().expect("a plain path");
        let redis = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("it is bound");
        let port = redis.port().to_string();
        let flags = ["--port", "0", "--metrics-port", "0", "--threads", "2", "--resp-port", &port];
        let flags = [&flags[..], &["--data-dir", path, "--persistence", mode]].concat();
        let mut program = Program::start(&flags, &[]);
        program.wait_for_line("ready");
        let mut connection = Connection::open(program.address).expect("the node listens");
        let mut send = |method, path: &str, body: &str| connection.send(method, path, body).expect("an answer");
        let body = format!("{{\"value\":\"{}\"}}", "x".repeat(500_000));
        let mut stored = 0;
        let refused = loop {
            let (status, answer) = send("PUT", &format!("/dev/kv/k{stored}"), &body);
            if status != 200 {
                break (status, answer);
            }
            stored += 1;
            assert!(stored < 400, "the disk is never full");
        };
        assert_eq!(refused.0, 507, "{}", refused.1);
        assert!(refused.1.contains("\"DiskFull\"") && refused.1.contains("disk is full"), "{}", refused.1);
        assert!(stored > 10, "only {stored} values of 500 kB fit");
        assert_eq!(send("DELETE", "/dev/kv/k0", "").0, 507, "a deletion needs room, too");
        for key in 0..stored {
            assert_eq!(send("GET", &format!("/dev/kv/k{key}"), "").0, 200, "reads go on");
        }
        assert_eq!(send("GET", &format!("/dev/kv/k{stored}"), "").0, 404, "nothing of a refused write is there");
        assert_eq!(send("GET", "/health/ready", "").0, 200, "reads are served, so it is ready");
        let mut wire = Wire::to(redis);
        wire.send(b"SET other value\r\n");
        assert!(wire.line().starts_with("-MISCONF The disk is full"), "the Redis protocol says the same");
        wire.ask("GET other", "$-1\r\n");

        std::fs::remove_file(&ballast).expect("it is there");
        program.wait_for_line("there is room on the disk again: writes go on");
        assert_eq!(send("PUT", &format!("/dev/kv/k{stored}"), r#"{"value":1}"#).0, 200);
        program.signal(Signal::SIGTERM);
        assert_eq!(program.wait().code(), Some(0));

        let mut program = Program::start(&flags, &[]);
        program.wait_for_line("ready");
        let mut connection = Connection::open(program.address).expect("the node listens");
        for key in 0..=stored {
            assert_eq!(connection.send("GET", &format!("/dev/kv/k{key}"), "").expect("an answer").0, 200, "k{key}");
        }
        drop(program);
        std::fs::remove_dir_all(&data).expect("nobody uses it");
    }
}

/// A log of writes over the same few keys is rewritten when it has filled the disk, and the node goes on for ever.
#[test]
fn a_disk_full_of_what_nobody_needs_is_cleared_by_itself() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let Some(disk) = SmallDisk::new(folder.path(), 48) else {
        assert!(!geteuid().is_root(), "root may mount a small disk");
        println!("skipped: only root can mount a small disk to fill");
        return;
    };
    let data = disk.0.join("data");
    let path = data.to_str().expect("a plain path");
    let flags =
        ["--port", "0", "--metrics-port", "0", "--threads", "2", "--data-dir", path, "--persistence", "everysec"];
    let mut program = Program::start(&flags, &[]);
    program.wait_for_line("ready");
    let mut connection = Connection::open(program.address).expect("the node listens");
    let body = format!("{{\"value\":\"{}\"}}", "x".repeat(400_000));
    let (mut stored, mut refused) = (0, 0);
    while stored < 200 {
        let (status, answer) = connection.send("PUT", &format!("/dev/kv/k{}", stored % 5), &body).expect("an answer");
        match status {
            200 => stored += 1,
            507 => {
                refused += 1;
                program.wait_for_line("there is room on the disk again: writes go on");
            }
            _ => panic!("{answer}"),
        }
    }
    assert!(refused > 0, "80 MB went onto a disk of 48");
    program.signal(Signal::SIGKILL);
    program.wait();
    let mut program = Program::start(&flags, &[]);
    program.wait_for_line("ready");
    let mut connection = Connection::open(program.address).expect("the node listens");
    for key in 0..5 {
        assert_eq!(connection.send("GET", &format!("/dev/kv/k{key}"), "").expect("an answer").0, 200);
    }
    drop(program);
}
