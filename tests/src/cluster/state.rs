//! What is remembered of a cluster between two calls: its name, ranges and nodes, and whether it came up whole.

use std::fs::{self, File};
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use super::address::{NODES_MAX, Range};
use crate::{clock, home};

/// A cluster's name goes into names of namespaces, cgroups and folders.
const NAME_CHARACTERS_MAX: usize = 20;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct State {
    pub name: String,
    pub range: Range,
    pub nodes: usize,
    /// False while it comes up and while it is taken down: what is found so without a process at work is half-dead.
    pub complete: bool,
}

impl State {
    /// Takes a free range for a new cluster. Two callers at once get two ranges.
    pub(super) fn reserve(name: &str, nodes: usize) -> Result<Self> {
        check_name(name)?;
        if !(1..=NODES_MAX).contains(&nodes) {
            bail!("a cluster has 1 to {NODES_MAX} nodes, not {nodes}");
        }
        let lock = File::create(home::clusters()?.join("lock"))?;
        lock.lock().context("cannot lock the list of clusters")?;
        let taken: Vec<Range> = Self::all()?.iter().map(|state| state.range).collect();
        let state = Self { name: name.to_owned(), range: Range::free(&taken)?, nodes, complete: false };
        state.save()?;
        Ok(state)
    }

    pub fn all() -> Result<Vec<Self>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(home::clusters()?)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            found.extend(Self::find(&name)?);
        }
        found.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(found)
    }

    pub fn find(name: &str) -> Result<Option<Self>> {
        let path = home::clusters()?.join(name).join("state.json");
        match fs::read(&path) {
            Ok(text) => {
                let state = serde_json::from_slice(&text);
                Ok(Some(state.with_context(|| format!("{} is damaged: remove its folder", path.display()))?))
            }
            Err(_) => Ok(None),
        }
    }

    pub(super) fn save(&self) -> Result<()> {
        // A reader sees the old state or the new one, never half of it.
        let path = self.folder()?.join("state.json");
        let unfinished = path.with_extension("unfinished");
        home::write(&unfinished, serde_json::to_vec_pretty(self)?)?;
        fs::rename(&unfinished, &path)?;
        Ok(())
    }

    pub fn folder(&self) -> Result<PathBuf> {
        Ok(home::clusters()?.join(&self.name))
    }

    /// The number of a node of this cluster, by its name.
    pub(super) fn number_of(&self, node: &str) -> Result<usize> {
        match (1..=self.nodes).find(|number| node_name(*number) == node) {
            Some(number) => Ok(number),
            None => bail!("the cluster {} has no node {node}: it has node1 to node{}", self.name, self.nodes),
        }
    }

    /// While one caller makes or removes a cluster, another one of the same name waits for its turn, or gives up.
    pub(super) fn lock(name: &str) -> Result<File> {
        check_name(name)?;
        let lock = File::create(home::clusters()?.join(format!("{name}.lock")))?;
        let limit = std::time::Duration::from_secs(180);
        clock::wait_for(&format!("another `testbed` that works on the cluster {name}"), limit, || {
            Ok(lock.try_lock().is_ok().then_some(()))
        })?;
        Ok(lock)
    }
}

pub(super) fn node_name(number: usize) -> String {
    format!("node{number}")
}

fn check_name(name: &str) -> Result<()> {
    let fits = (1..=NAME_CHARACTERS_MAX).contains(&name.len())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        && name.starts_with(|c: char| c.is_ascii_lowercase());
    if !fits {
        bail!(
            "`{name}` cannot name a cluster: up to {NAME_CHARACTERS_MAX} small letters, digits and -, a letter first"
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_would_not_fit_into_other_names_is_refused() {
        for good in ["dev", "a", "smoke-2"] {
            check_name(good).unwrap();
        }
        for bad in ["", "Dev", "2nd", "a/b", "a.b", "x23456789012345678901"] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
    }
}
