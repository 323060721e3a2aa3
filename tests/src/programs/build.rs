//! A Go build with its progress shown: the first one of Kubernetes takes minutes, and nobody should wonder.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use super::Family;
use super::family::Recipe;
use crate::home;
use crate::progress::Step;
use crate::shell;

/// Of what Go prints, the lines kept for the sentence that says why the build failed.
const LINES_KEPT: usize = 12;

/// Builds all programs of a family into `folder`, which appears only when all are there.
pub(super) fn build(family: Family, recipe: &Recipe, folder: &Path) -> Result<()> {
    if !shell::found("go") {
        bail!(
            "Go is needed to build {}, once: install Go 1.26 or newer, or name a folder with the programs in KVT_KUBE_BIN",
            family.name()
        );
    }
    let step = Step::start(format!("building {} from source (kept for later)", family.name()));
    let unfinished = home::made(folder.with_extension("unfinished"))?;
    for (program, package) in family.packages() {
        compile(recipe, package, &unfinished.join(program), |line| step.note(format!("{program}, {line}")))
            .with_context(|| format!("cannot build {program}"))?;
    }
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    fs::rename(&unfinished, folder)?;
    step.done("");
    Ok(())
}

fn compile(recipe: &Recipe, package: &str, output: &Path, mut note: impl FnMut(String)) -> Result<()> {
    let mut child = Command::new("go")
        .current_dir(&recipe.module)
        .env("CGO_ENABLED", "0")
        .args(["build", "-v", "-mod=readonly", "-trimpath", "-ldflags", &recipe.flags, "-o"])
        .arg(output)
        .arg(package)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .context("cannot start go")?;
    let said = BufReader::new(child.stderr.take().expect("stderr was asked to be a pipe"));
    let (mut compiled, mut fetched, mut kept) = (0, 0, Vec::new());
    for line in said.lines() {
        let line = line?;
        if line.starts_with("go: downloading") {
            fetched += 1;
        } else {
            compiled += 1;
            if kept.len() == LINES_KEPT {
                kept.remove(0);
            }
            kept.push(line);
        }
        note(format!("{fetched} modules fetched, {compiled} packages compiled"));
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("go build ended with {status}:\n{}", kept.join("\n"));
    }
    Ok(())
}
