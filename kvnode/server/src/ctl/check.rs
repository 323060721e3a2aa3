//! `kvnode ctl check`

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;

use super::failure::Failure;
use crate::disk;
use crate::settings::machine::Machine;

const AFTER_HELP: &str = "\
Example: a node does not start, because its data are damaged
  kvnode ctl check --data-dir /var/lib/kvnode

It talks to no node and changes nothing. Exit code 1: something is damaged.";

/// Look a data folder over, while no node runs on it: what is there, and whether anything is damaged
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Check {
    /// The folder that a node has as its --data-dir
    #[arg(long, env = "DATA_DIR", value_name = "DIR")]
    data_dir: PathBuf,
}

impl Check {
    pub(super) fn run(&self, out: &mut impl Write) -> Result<(), Failure> {
        let threads = Machine::read(Path::new("/")).serving_threads();
        let report = disk::check(&self.data_dir, threads).map_err(|error| Failure::wrong_use(error.to_string()))?;
        write!(out, "{report}")?;
        if report.is_whole() {
            return Ok(());
        }
        let folder = self.data_dir.display();
        Err(Failure::refused(format!(
            "The data folder {folder} is damaged; a start with --recover skip-damaged goes on without what is lost."
        )))
    }
}
