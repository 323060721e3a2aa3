//! `kvnode ctl dump`

use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use clap::Args;
use http::Method;
use indicatif::ProgressBar;

use super::client::{Client, each_piece, empty};
use super::failure::Failure;
use super::progress;
use crate::dump::{Passed, Reader};

const AFTER_HELP: &str = "\
Examples:
  kvnode ctl dump --output backup.ndjson
  kvnode ctl dump | zstd > backup.ndjson.zst

The dump has the keys of everybody, and the accounts and API keys with hashes of their secrets: keep it safe. The node \
goes on meanwhile. A dump without its last line was cut off; one in a file is there whole or not at all.";

/// What a file is called until it is whole.
const UNFINISHED: &str = "part";

/// An entry of the largest value that a node can be set to take, 64 MiB of which each byte may take two.
const LINE_BYTES_MAX: usize = 130 << 20;

/// Write down everything the node holds, an entry a line
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Dump {
    /// The file to write; without it, the dump goes to standard output
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Looks on while a dump passes: whether it is whole, and how far it is.
struct Following {
    reader: Reader,
    /// The beginning of a line.
    begun: Vec<u8>,
    bar: ProgressBar,
}

impl Dump {
    pub(super) async fn run(self, client: &mut Client, out: &mut impl Write) -> Result<(), Failure> {
        let Some(path) = self.output else {
            fetch(client, out).await?;
            return Ok(out.flush()?);
        };
        // Asked for before the file is touched: a wrong URL or key must not leave one behind.
        let unfinished = path.with_added_extension(UNFINISHED);
        let written = write(client, &unfinished, &path).await;
        if written.is_err() {
            // There may be none.
            let _ = fs::remove_file(&unfinished);
        }
        let entries = written?;
        writeln!(out, "{} {} in {}", entries, if entries == 1 { "entry" } else { "entries" }, path.display())?;
        Ok(())
    }
}

/// The file has its name once all of it is on the disk.
async fn write(client: &mut Client, unfinished: &Path, path: &Path) -> Result<u64, Failure> {
    let unwritten =
        |error: std::io::Error| Failure::wrong_use(format!("The file {} cannot be written: {error}.", path.display()));
    // Nobody else may read it.
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(unfinished);
    let mut file = BufWriter::new(file.map_err(unwritten)?);
    let entries = fetch(client, &mut file).await?;
    let file = file.into_inner().map_err(|error| unwritten(error.into_error()))?;
    file.sync_all().map_err(unwritten)?;
    fs::rename(unfinished, path).map_err(unwritten)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(unwritten)?;
    Ok(entries)
}

/// Writes the dump to `out`, and says how many entries it has.
async fn fetch(client: &mut Client, out: &mut impl Write) -> Result<u64, Failure> {
    let answer = client.ask(Method::GET, "/admin/dump", &[], empty()).await?;
    let url = client.url().to_owned();
    let mut following =
        Following { reader: Reader::default(), begun: Vec::new(), bar: progress::bar("dumping", "entries") };
    let passed = each_piece(&url, answer.into_body(), |piece| {
        following.follow(piece, &url)?;
        Ok(out.write_all(piece)?)
    });
    let passed = passed.await;
    following.bar.finish_and_clear();
    passed?;
    let entries = following.reader.entries();
    if following.reader.ended() && following.begun.is_empty() {
        return Ok(entries);
    }
    Err(Failure::unreachable(format!("The dump of {url} was cut off after {entries} entries; try again.")))
}

impl Following {
    fn follow(&mut self, mut piece: &[u8], url: &str) -> Result<(), Failure> {
        while let Some(end) = piece.iter().position(|&byte| byte == b'\n') {
            let (line, rest) = piece.split_at(end);
            piece = &rest[1..];
            if self.begun.is_empty() {
                self.pass(line, url)?;
            } else {
                self.begun.extend_from_slice(line);
                let line = std::mem::take(&mut self.begun);
                self.pass(&line, url)?;
            }
        }
        if self.begun.len() + piece.len() > LINE_BYTES_MAX {
            let line = self.reader.line() + 1;
            return Err(Failure::unreachable(format!("What {url} answers with is no dump: line {line} has no end.")));
        }
        self.begun.extend_from_slice(piece);
        Ok(())
    }

    fn pass(&mut self, line: &[u8], url: &str) -> Result<(), Failure> {
        let passed = self.reader.pass(line).map_err(|error| {
            let line = self.reader.line();
            Failure::unreachable(format!("The dump that came from {url} is not right in line {line}: {error}"))
        })?;
        match passed {
            Passed::Header(header) => self.bar.set_length(header.entries),
            Passed::Entry => self.bar.set_position(self.reader.entries()),
            Passed::End => {}
        }
        Ok(())
    }
}
