//! The log over records that mean nothing: what was handed over comes back, whatever happened to the process or the disk
//! between.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::sync::Mutex;

use super::*;
use crate::disk::check;
use crate::disk::segment::LogFile;
use crate::settings::machine::Machine;
use crate::settings::{Request, resolve};

/// Small, so that a test sees many segments.
const SMALL_SEGMENT: u64 = 64 << 10;

/// So large that no test fills one, so no snapshot is taken.
const LARGE_SEGMENT: u64 = 64 << 20;

/// Records by partition, in their order.
type Contained = BTreeMap<u8, Vec<Vec<u8>>>;

struct Lived {
    running: Running,
    log: Arc<Log>,
    found: Contained,
    /// What a snapshot is made of; kept up to date by the test.
    store: Arc<Mutex<Contained>>,
    broken: oneshot::Receiver<()>,
}

/// In memory where the machine has a place for that: it is not the disk that is tested here, and each start syncs often.
fn new_folder() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    folder.expect("a temporary folder")
}

fn settings(folder: &Path, flags: &[&str]) -> Settings {
    let path = folder.to_str().expect("a plain path");
    let fixed = ["kvnode", "--tenant", "dev", "--name", "n0", "--threads", "2", "--data-dir", path];
    let arguments = fixed.iter().chain(flags).map(OsString::from);
    let machine = Machine { memory_bytes: Some(1 << 30), cpu_cores: 2.0 };
    match resolve(arguments, &|_| None, &machine) {
        Ok(Request::Run(settings)) => *settings,
        other => panic!("no good settings: {other:?}"),
    }
}

/// A start on this folder, up to where commands would be answered.
fn start(folder: &Path, flags: &[&str]) -> Result<Lived, String> {
    start_with_segments_of(SMALL_SEGMENT, folder, flags)
}

fn start_with_segments_of(segment_bytes: u64, folder: &Path, flags: &[&str]) -> Result<Lived, String> {
    let disk = Disk::open(&settings(folder, flags), &Clock::default()).map_err(|error| error.to_string())?;
    let mut disk = disk.expect("it has a folder");
    disk.segment_bytes = segment_bytes;
    let log = Arc::clone(disk.log().expect("it is to be kept"));
    let found = Arc::new(Mutex::new(Contained::new()));
    let store = Arc::new(Mutex::new(Contained::new()));
    let (taken, told) = (Arc::clone(&found), Arc::clone(&store));
    let records = Records {
        take: Box::new(move |partition, record| {
            let mut taken = taken.lock().expect("no panic");
            taken.entry(partition).or_default().push(record.to_vec());
            record != b"nonsense"
        }),
        contents: Arc::new(move |partition, tell| {
            let told = told.lock().expect("no panic");
            told.get(&partition.get()).into_iter().flatten().for_each(|record| tell(record));
        }),
    };
    let (breaking, broken) = oneshot::channel();
    let running = disk.recover(&log, &Progress::default(), records, breaking).map_err(|error| error.to_string())?;
    let found = found.lock().expect("no panic").clone();
    Ok(Lived { running, log, found, store, broken })
}

impl Lived {
    fn append(&self, partition: u8, record: &[u8]) {
        let mut store = self.store.lock().expect("no panic");
        store.entry(partition).or_default().push(record.to_vec());
        // The lock is held, as a partition's is.
        self.log.append(usize::from(partition), record);
    }

    fn wait_until_kept(&self) {
        assert!(self.log.wait_until_durable(self.log.end()));
    }

    /// Ends without a word, as a killed process does; the folder can be used again at once.
    fn crash(self, folder: &Path) -> tempfile::TempDir {
        let copy = copy_of(folder);
        assert!(self.running.close());
        copy
    }
}

fn copy_of(folder: &Path) -> tempfile::TempDir {
    let copy = new_folder();
    fs::create_dir(copy.path().join("log")).expect("room on the disk");
    for part in ["", "log"] {
        for entry in fs::read_dir(folder.join(part)).expect("it is there").map(|entry| entry.expect("it is there")) {
            if entry.path().is_file() {
                // A snapshot may finish, and what it replaces go, while this copies.
                let _ = fs::copy(entry.path(), copy.path().join(part).join(entry.file_name()));
            }
        }
    }
    copy
}

fn files_of(folder: &Path, kind: FileKind) -> Vec<LogFile> {
    let inventory = Inventory::take(&folder.join("log")).expect("it can be read");
    inventory.files().iter().filter(|file| file.kind == kind).cloned().collect()
}

fn record(number: u32) -> Vec<u8> {
    let filler = vec![u8::try_from(number % 251).expect("a byte"); 40 + number as usize % 90];
    [&number.to_le_bytes()[..], &filler].concat()
}

/// Some records in every partition.
fn fill(lived: &Lived, numbers: std::ops::Range<u32>) {
    for number in numbers {
        lived.append(u8::try_from(number % 256).expect("a byte"), &record(number));
    }
}

fn expected(numbers: std::ops::Range<u32>) -> Contained {
    let mut contained = Contained::new();
    for number in numbers {
        contained.entry(u8::try_from(number % 256).expect("a byte")).or_default().push(record(number));
    }
    contained
}

#[test]
fn what_was_handed_over_comes_back_in_order_after_a_clean_end() {
    for mode in ["everysec", "always"] {
        let folder = new_folder();
        let flags = ["--persistence", mode];
        let lived = start(folder.path(), &flags).expect("an empty folder");
        fill(&lived, 0..300);
        assert!(lived.running.close());
        let lived = start(folder.path(), &flags).expect("a closed folder");
        assert_eq!(lived.found, expected(0..300));
        fill(&lived, 300..301);
        assert!(lived.running.close());
        let lived = start(folder.path(), &flags).expect("a closed folder");
        assert_eq!(lived.found, expected(0..301));
        assert!(lived.running.close());
    }
}

/// Without snapshots: a record that is in one and in the log behind it comes back twice, in the right order.
#[test]
fn many_writers_share_syncs_and_each_partition_keeps_its_order() {
    let folder = new_folder();
    let flags = ["--persistence", "always"];
    let lived = start_with_segments_of(LARGE_SEGMENT, folder.path(), &flags).expect("an empty folder");
    std::thread::scope(|scope| {
        for writer in 0..8u32 {
            let lived = &lived;
            scope.spawn(move || (0..200).for_each(|turn| lived.append(7, &record(turn * 8 + writer))));
        }
    });
    lived.wait_until_kept();
    let syncs = lived.log.figures().syncs.load(Ordering::Relaxed);
    assert!(syncs < 1600, "{syncs} syncs for 1600 records");
    let order = lived.store.lock().expect("no panic").clone();
    let copy = lived.crash(folder.path());
    let lived = start(copy.path(), &flags).expect("a folder as a crash leaves it");
    assert_eq!(lived.found, order);
    assert!(lived.running.close());
}

/// Segments are begun, snapshots taken and old segments removed, while records come in; a crash at any moment of it loses
/// nothing.
#[test]
fn snapshots_keep_the_log_short_and_lose_nothing() {
    let folder = new_folder();
    let flags = ["--persistence", "always"];
    let lived = start(folder.path(), &flags).expect("an empty folder");
    // The same few records again and again: all but the last of each are needless.
    for turn in 0..200 {
        for number in 0..100 {
            let partition = u8::try_from(number % 50).expect("a byte");
            let record = record(turn * 100 + number);
            let mut store = lived.store.lock().expect("no panic");
            store.insert(partition, vec![record.clone()]);
            lived.log.append(usize::from(partition), &record);
        }
        lived.wait_until_kept();
        if turn % 40 == 17 {
            let copy = copy_of(folder.path());
            // A copy takes its time, so it may have been made of two moments; the newest of each is there in any case.
            if let Ok(recovered) = start(copy.path(), &flags) {
                let newest =
                    |contained: &Contained| contained.values().map(|all| all.last().cloned()).collect::<Vec<_>>();
                assert_eq!(newest(&recovered.found), newest(&lived.store.lock().expect("no panic")));
                assert!(recovered.running.close());
            }
        }
    }
    let segments = || Inventory::take(&folder.path().join("log")).expect("it can be read").files().len();
    assert!(lived.log.figures().snapshot_bytes.load(Ordering::Relaxed) > 0, "no snapshot was taken");
    assert!(segments() < 10, "{} files", segments());
    let newest: Vec<_> = lived.store.lock().expect("no panic").values().map(|all| all.last().cloned()).collect();
    assert!(lived.running.close());
    let lived = start(folder.path(), &flags).expect("a closed folder");
    assert_eq!(lived.found.values().map(|all| all.last().cloned()).collect::<Vec<_>>(), newest);
    assert!(lived.running.close());
}

/// Every state that a crash can leave between the steps of a snapshot.
#[test]
fn a_snapshot_can_be_broken_off_at_every_step() {
    let folder = new_folder();
    let flags = ["--persistence", "always"];
    let lived = start(folder.path(), &flags).expect("an empty folder");
    let mut number = 0;
    // A second name for each segment: one that a snapshot removes is still there under it, as it was at its end.
    let kept = new_folder();
    let after = loop {
        fill(&lived, number..number + 100);
        number += 100;
        lived.wait_until_kept();
        for segment in files_of(folder.path(), FileKind::Segment) {
            // It may be removed while this looks; then it has its second name from an earlier look.
            let _ = fs::hard_link(&segment.path, kept.path().join(segment.path.file_name().expect("a file")));
        }
        let after = copy_of(folder.path());
        if !files_of(after.path(), FileKind::Snapshot).is_empty() {
            break after;
        }
        assert!(number < 100_000, "no snapshot is ever taken");
    };
    assert!(lived.running.close());
    let recovered = start(after.path(), &flags).expect("as the snapshot left it");
    let whole = recovered.found.clone();
    assert!(recovered.running.close());
    let after = Inventory::take(&after.path().join("log")).expect("it can be read");
    let snapshot = after.files().iter().find(|file| file.kind == FileKind::Snapshot).expect("it was just there");
    let kept = Inventory::take(kept.path()).expect("it can be read");
    let olds: Vec<_> = kept.files().iter().filter(|file| file.number < snapshot.number).collect();
    assert!(!olds.is_empty(), "the snapshot replaced nothing");
    // With how many of the old segments, and with the snapshot finished or not.
    let finished = (0..=olds.len()).map(|left| (left, true));
    for (left, finished) in finished.chain([(olds.len(), false)]) {
        let state = new_folder();
        let log = state.path().join("log");
        fs::create_dir(&log).expect("room on the disk");
        let put = |path: &Path, name: &std::ffi::OsStr| {
            fs::copy(path, log.join(name)).expect("room on the disk");
        };
        olds[..left].iter().for_each(|old| put(&old.path, old.path.file_name().expect("a file")));
        let segments = after.files().iter().filter(|file| file.kind == FileKind::Segment);
        segments.for_each(|file| put(&file.path, file.path.file_name().expect("a file")));
        let name = snapshot.path.file_name().expect("a file").to_owned();
        if finished {
            put(&snapshot.path, &name);
        } else {
            let mut unfinished = name;
            unfinished.push(".part");
            put(&snapshot.path, &unfinished);
        }
        fs::copy(folder.path().join("identity"), state.path().join("identity")).expect("room on the disk");
        let mut identity = crate::disk::folder::read_identity(state.path()).expect("good").expect("there");
        identity.tail = Tail::Open { segment: snapshot.number, boot: boot() };
        fs::write(state.path().join("identity"), identity.text()).expect("room on the disk");
        let recovered = start(state.path(), &flags).unwrap_or_else(|error| panic!("{left} {finished}: {error}"));
        let last = |contained: &Contained| contained.values().map(|all| all.last().cloned()).collect::<Vec<_>>();
        assert_eq!(last(&recovered.found), last(&whole), "{left} old segments, finished: {finished}");
        assert!(recovered.running.close());
        let left = Inventory::take(&log).expect("it can be read");
        assert!(left.unfinished().is_empty(), "what was not finished is removed");
    }
}

/// Of a folder that was closed, every byte counts: whichever bit is flipped, the start is refused and names the file, the
/// check names it, and a start that goes on without gives nothing that was never written.
#[test]
fn a_flipped_bit_anywhere_is_named_and_never_served() {
    let folder = new_folder();
    let flags = ["--persistence", "always"];
    let lived = start(folder.path(), &flags).expect("an empty folder");
    for batch in 0..8 {
        fill(&lived, batch * 10..batch * 10 + 10);
        lived.wait_until_kept();
    }
    assert!(lived.running.close());
    let name = Path::new("log/0000000001.log");
    let bytes = fs::read(folder.path().join(name)).expect("it is there");
    let written = expected(0..80);
    for position in (0..bytes.len()).step_by(53) {
        let copy = copy_of(folder.path());
        let mut bytes = bytes.clone();
        bytes[position] ^= 1 << (position % 8);
        fs::write(copy.path().join(name), bytes).expect("room on the disk");
        let report = check(copy.path(), 1).expect("it can be looked over");
        assert!(!report.is_whole(), "bit {position} is not seen by the check:\n{report}");
        let error = start(copy.path(), &flags).err().unwrap_or_else(|| panic!("bit {position} is not seen"));
        for word in ["0000000001.log", "offset", "kvnode ctl check", "--recover skip-damaged"] {
            assert!(error.contains(word), "{error:?} does not name {word:?}");
        }
        let lived = start(copy.path(), &[&flags[..], &["--recover", "skip-damaged"]].concat()).expect("it goes on");
        for (partition, records) in &lived.found {
            let mut all = written[partition].iter();
            assert!(records.iter().all(|record| all.any(|other| other == record)), "bit {position}: {records:?}");
        }
        let count = lived.found.values().map(Vec::len).sum::<usize>();
        assert!(count >= 79, "bit {position} cost {} records", 80 - count);
        assert_eq!(lived.log.figures().damaged_records.load(Ordering::Relaxed), 1);
        assert!(lived.running.close());
    }
}

#[test]
fn what_a_killed_process_did_not_finish_is_cut_off_wherever_it_stopped() {
    let folder = new_folder();
    let flags = ["--persistence", "always"];
    let lived = start(folder.path(), &flags).expect("an empty folder");
    fill(&lived, 0..40);
    lived.wait_until_kept();
    let crashed = lived.crash(folder.path());
    let name = Path::new("log/0000000001.log");
    let whole = fs::read(crashed.path().join(name)).expect("it is there");
    for length in (52..whole.len()).rev().step_by(31) {
        let copy = copy_of(crashed.path());
        fs::write(copy.path().join(name), &whole[..length]).expect("room on the disk");
        assert!(check(copy.path(), 2).expect("it can be looked over").is_whole(), "{length}");
        let lived = start(copy.path(), &flags).unwrap_or_else(|error| panic!("{length}: {error}"));
        let count = u32::try_from(lived.found.values().map(Vec::len).sum::<usize>()).expect("a few");
        assert_eq!(lived.found, expected(0..count), "cut at {length}");
        fill(&lived, count..count + 3);
        assert!(lived.running.close());
        let lived = start(copy.path(), &flags).unwrap_or_else(|error| panic!("after {length}: {error}"));
        assert_eq!(lived.found, expected(0..count + 3), "the log goes on behind the cut");
        assert!(lived.running.close());
    }
}

/// After a loss of power any part of what was not synced may be there. What was synced must be.
#[test]
fn after_a_loss_of_power_only_what_was_never_confirmed_may_be_missing() {
    let folder = new_folder();
    let flags = ["--persistence", "always"];
    let lived = start(folder.path(), &flags).expect("an empty folder");
    for batch in 0..4 {
        fill(&lived, batch * 10..batch * 10 + 10);
        lived.wait_until_kept();
    }
    let crashed = lived.crash(folder.path());
    let mut identity = crate::disk::folder::read_identity(crashed.path()).expect("good").expect("there");
    identity.tail = Tail::Open { segment: 1, boot: "another".to_owned() };
    fs::write(crashed.path().join("identity"), identity.text()).expect("room on the disk");
    let name = Path::new("log/0000000001.log");
    let whole = fs::read(crashed.path().join(name)).expect("it is there");
    let (mut cut, mut refused) = (0, 0);
    for position in (52..whole.len()).step_by(29) {
        let copy = copy_of(crashed.path());
        let mut bytes = whole.clone();
        bytes[position] ^= 0xff;
        fs::write(copy.path().join(name), bytes).expect("room on the disk");
        match start(copy.path(), &flags) {
            Err(error) => {
                refused += 1;
                assert!(cut == 0, "{position} lies behind what was cut: {error}");
            }
            Ok(lived) => {
                cut += 1;
                let count = u32::try_from(lived.found.values().map(Vec::len).sum::<usize>()).expect("a few");
                assert!(count >= 30, "{count} records are left, and 30 were confirmed before the last batch");
                assert_eq!(lived.found, expected(0..count));
                assert!(lived.running.close());
            }
        }
    }
    assert!(cut > 0 && refused > 3 * cut / 2, "{cut} cut, {refused} refused");
}

#[test]
fn a_missing_or_foreign_file_is_named() {
    let folder = new_folder();
    let flags = ["--persistence", "always"];
    let lived = start(folder.path(), &flags).expect("an empty folder");
    let mut number = 0;
    while !folder.path().join("log/0000000002.log").exists() {
        fill(&lived, number..number + 100);
        number += 100;
        lived.wait_until_kept();
    }
    assert!(lived.running.close());
    for gone in ["log/0000000001.log", "log/0000000002.log"] {
        let copy = copy_of(folder.path());
        fs::remove_file(copy.path().join(gone)).expect("it is there");
        let error = start(copy.path(), &flags).err().expect("a file is missing");
        assert!(error.contains(gone) && error.contains("the file is missing"), "{error}");
    }
    let copy = copy_of(folder.path());
    fs::rename(copy.path().join("log/0000000002.log"), copy.path().join("log/0000000001.log")).expect("both are there");
    let error = start(copy.path(), &flags).err().expect("a file is another");
    assert!(error.contains("header"), "{error}");
    let copy = copy_of(folder.path());
    fs::remove_file(copy.path().join("identity")).expect("it is there");
    let error = start(copy.path(), &flags).err().expect("the identity is missing");
    assert!(error.contains("identity") && error.contains("--recover skip-damaged"), "{error}");
    let before = crate::disk::folder::read_identity(folder.path()).expect("good").expect("there");
    let lived =
        start(copy.path(), &[&flags[..], &["--recover", "skip-damaged"]].concat()).expect("the log says who it is");
    assert_eq!(lived.found, expected(0..number));
    assert!(lived.running.close());
    let after = crate::disk::folder::read_identity(copy.path()).expect("good").expect("there");
    assert_eq!((after.node, after.incarnation), (before.node, before.incarnation + 1));
}

#[test]
fn a_record_that_means_nothing_is_damage_too() {
    let folder = new_folder();
    let flags = ["--persistence", "always"];
    let lived = start(folder.path(), &flags).expect("an empty folder");
    lived.append(9, b"nonsense");
    assert!(lived.running.close());
    let error = start(folder.path(), &flags).err().expect("it means nothing");
    assert!(error.contains("a record of partition 9 that means nothing"), "{error}");
}

#[test]
fn a_folder_serves_one_process_one_tenant_and_no_memory() {
    let folder = new_folder();
    let lived = start(folder.path(), &["--persistence", "everysec"]).expect("an empty folder");
    let error = start(folder.path(), &["--persistence", "everysec"]).err().expect("it is in use");
    assert!(error.contains("in use") && error.contains(&std::process::id().to_string()), "{error}");
    assert!(check(folder.path(), 1).expect_err("it is in use").to_string().contains("in use"));
    assert!(lived.running.close());
    let mut other = settings(folder.path(), &["--persistence", "everysec"]);
    other.tenant = "other".parse().expect("a name");
    let error = Disk::open(&other, &Clock::default()).expect_err("another tenant's").to_string();
    assert!(error.contains("'dev'"), "{error}");
    let error = Disk::open(&settings(folder.path(), &[]), &Clock::default()).expect_err("it holds data").to_string();
    assert!(error.contains("--persistence"), "{error}");
}

#[test]
fn a_node_keeps_its_identity_and_raises_its_incarnation_with_every_start() {
    let folder = new_folder();
    let open = || Disk::open(&settings(folder.path(), &[]), &Clock::default()).expect("good").expect("a folder");
    let first = open().folder().identity().clone();
    let second = open().folder().identity().clone();
    assert_eq!((first.incarnation, second.incarnation), (1, 2));
    assert_eq!(first.node, second.node);
    let elsewhere = new_folder();
    let other = Disk::open(&settings(elsewhere.path(), &[]), &Clock::default()).expect("good").expect("a folder");
    assert_ne!(other.folder().identity().node, first.node);
}

#[test]
fn a_disk_that_breaks_is_reported() {
    let folder = new_folder();
    let mut lived = start(folder.path(), &["--persistence", "always"]).expect("an empty folder");
    assert!(lived.broken.try_recv().is_err(), "nothing is broken");
    // No segment can be begun where the folder is gone.
    fs::remove_dir_all(folder.path()).expect("it is there");
    let mut number = 0;
    while lived.broken.try_recv().is_err() && number < 20_000 {
        fill(&lived, number..number + 100);
        number += 100;
        lived.log.pause(std::time::Duration::from_millis(5));
    }
    assert!(number < 20_000, "nobody was told");
    assert!(!lived.running.close());
}
