//! Schemas by which kubeconform judges manifests without a cluster and without a download: made from the description
//! of the API inside the Kubernetes module that the test bed builds, and from our own definitions. They must never
//! accept a field that an API server would drop, and never refuse what it takes.

mod api;
mod custom;
mod set;
mod strict;

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::digest::Digest;
use crate::{home, shell};
use set::Set;

/// The name of each file, in kubeconform's words. It has the whole group: kubeconform's own layout keeps only the
/// part before the first dot, and there two groups can share a file.
const FILE_TEMPLATE: &str = "{{.ResourceKind}}.{{.ResourceAPIVersion}}.{{.Group}}.json";

/// Sets kept: enough to switch between branches whose definitions differ, at some megabytes each.
const SETS_KEPT: usize = 4;

/// The code that makes them is part of what they were made of.
const MAKERS: [&str; 5] = [
    include_str!("api.rs"),
    include_str!("custom.rs"),
    include_str!("mod.rs"),
    include_str!("set.rs"),
    include_str!("strict.rs"),
];

/// Puts one file per kind into `folder`, which must be new or empty, and gives what kubeconform wants to hear as
/// `-schema-location`. `definitions` is the folder of our CRDs.
pub fn make(folder: &Path, definitions: &Path) -> Result<String> {
    home::made(folder.to_path_buf())?;
    if fs::read_dir(folder)?.next().is_some() {
        bail!("{} is not empty: name a new folder for the schemas", folder.display());
    }
    let api = read(&api_description()?)?;
    let crds = custom::files(definitions)?;
    let crds = crds.into_iter().map(|path| Ok((read(&path)?, path))).collect::<Result<Vec<_>>>()?;

    let mut digest = Digest::default();
    for maker in MAKERS {
        digest.add(maker);
    }
    digest.add(&api);
    for (crd, _) in &crds {
        digest.add(crd);
    }

    let kept = home::made(home::home()?.join("schemas"))?;
    // Held until the copy is complete, so that nobody tidies a set away that is being read.
    let lock = File::create(kept.join("lock"))?;
    lock.lock().context("cannot lock the folder of schemas")?;
    let set = kept.join(digest.word());
    if !set.is_dir() {
        write(&set, &api, &crds)?;
        tidy(&kept, &set)?;
    }
    for file in fs::read_dir(&set)? {
        let file = file?;
        fs::copy(file.path(), folder.join(file.file_name()))?;
    }
    Ok(format!("{}/{FILE_TEMPLATE}", folder.display()))
}

/// Makes all schemas in a folder beside and moves it to its name: a set is there as a whole or not at all.
fn write(folder: &Path, api: &str, crds: &[(String, PathBuf)]) -> Result<()> {
    let mut set = Set::default();
    let description: Value = serde_json::from_str(api).context("the description of the API is no JSON")?;
    api::add(&description, &mut set)?;
    for (crd, path) in crds {
        custom::add(crd, &mut set).with_context(|| format!("no schema can be made of {}", path.display()))?;
    }
    let unfinished = folder.with_extension("unfinished");
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished)?;
    }
    for (name, schema) in set.files()? {
        home::write(unfinished.join(name), serde_json::to_vec(&schema)?)?;
    }
    fs::rename(unfinished, folder)?;
    Ok(())
}

fn tidy(kept: &Path, newest: &Path) -> Result<()> {
    let mut others = Vec::new();
    for entry in fs::read_dir(kept)? {
        let entry = entry?;
        let about = entry.metadata()?;
        if about.is_dir() && entry.path() != newest {
            others.push((about.modified()?, entry.path()));
        }
    }
    others.sort();
    let too_many = (others.len() + 1).saturating_sub(SETS_KEPT);
    for (_, old) in others.into_iter().take(too_many) {
        fs::remove_dir_all(&old).with_context(|| format!("cannot remove {}", old.display()))?;
    }
    Ok(())
}

/// The file of the Kubernetes module that describes every built-in kind.
fn api_description() -> Result<PathBuf> {
    if !shell::found("go") {
        bail!("Go is needed to fetch the description of the Kubernetes API: install Go 1.26 or newer");
    }
    let mut download = shell::command("go", &["mod", "download", "-json", "k8s.io/kubernetes"]);
    let said = shell::output(download.current_dir(home::source().join("programs/kubernetes")))?;
    let module: Value = serde_json::from_str(&said)?;
    let folder = module["Dir"].as_str().context("go mod download named no folder for k8s.io/kubernetes")?;
    Ok(Path::new(folder).join("api/openapi-spec/swagger.json"))
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

#[cfg(test)]
mod tests;
