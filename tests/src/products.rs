//! Our own two images, from the source tree as it is: static programs built by cargo, one file in each image.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::images::Image;
use crate::progress::Step;
use crate::{home, shell};

/// The image of the data plane: (package and program, stage of the Dockerfile, name).
pub const KVNODE: Product = Product { program: "kvnode", stage: "kvnode", image: "docker.io/kvtenant/kvnode" };

/// The image of the operator.
pub const OPERATOR: Product =
    Product { program: "kvtenant-operator", stage: "operator", image: "docker.io/kvtenant/operator" };

/// One of our programs and the image that holds it.
#[derive(Debug, Clone, Copy)]
pub struct Product {
    program: &'static str,
    stage: &'static str,
    image: &'static str,
}

impl Product {
    /// The name that manifests use: all parts of the project have one version.
    pub fn reference(self) -> String {
        format!("{}:{}", self.image, env!("CARGO_PKG_VERSION"))
    }

    fn archive(self, folder: &std::path::Path) -> Result<PathBuf> {
        let image = Image {
            reference: self.reference(),
            dockerfile: home::workspace().join("Dockerfile"),
            target: Some(self.stage.to_owned()),
            files: vec![(self.program.to_owned(), folder.join(self.program))],
        };
        image.archive()
    }
}

/// Builds both programs and gives the archives of their images.
pub fn archives() -> Result<Vec<PathBuf>> {
    let step = Step::start("building the programs of both images (release, static)");
    let folder = build()?;
    let archives = [KVNODE, OPERATOR].into_iter().map(|product| product.archive(&folder)).collect();
    step.done("");
    archives
}

/// A program of the workspace, built for tests from the sources as they are now.
pub fn for_tests(program: &str) -> Result<PathBuf> {
    let mut build = cargo();
    // As a part of the whole workspace, whose dependencies are built already.
    build.args(["build", "--locked", "--workspace", "--bin", program, "--message-format", "json"]);
    let messages = shell::output(&mut build)?;
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut of_program = messages.filter(|message| message["target"]["name"] == program);
    let built = of_program.find_map(|message| message["executable"].as_str().map(PathBuf::from));
    built.with_context(|| format!("cargo does not tell where it put {program}"))
}

/// Builds the programs so that they need no file beside them, and gives their folder.
fn build() -> Result<PathBuf> {
    let target = host()?;
    let mut command = cargo();
    // With a target named, these flags are for the programs alone: what runs during the build stays as it is.
    command.env("RUSTFLAGS", "-C target-feature=+crt-static");
    command.args(["build", "--release", "--locked", "--target", &target]);
    for product in [KVNODE, OPERATOR] {
        command.args(["--package", product.program]);
    }
    let status = command.status().context("cannot start cargo")?;
    if !status.success() {
        bail!("cargo could not build the programs; its reasons stand above");
    }
    Ok(target_folder()?.join(target).join("release"))
}

/// What this machine is called by the compiler.
fn host() -> Result<String> {
    let about = shell::run("rustc", &["-vV"])?;
    let line = about.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(line.context("rustc does not tell its host")?.to_owned())
}

fn target_folder() -> Result<PathBuf> {
    let metadata = shell::output(cargo().args(["metadata", "--no-deps", "--format-version", "1"]))?;
    let metadata: Value = serde_json::from_str(&metadata)?;
    Ok(PathBuf::from(metadata["target_directory"].as_str().context("cargo tells no target folder")?))
}

/// cargo as a person would call it. What an outer `cargo test` or `cargo run` tells its program about itself is taken
/// away: build scripts of dependencies watch some of these variables, and would build half of the tree again.
fn cargo() -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(home::workspace());
    for (name, _) in env::vars_os() {
        let about_the_caller = |prefix: &&str| name.to_string_lossy().starts_with(prefix);
        if CARGO_ABOUT_ITS_CALLER.iter().any(about_the_caller) {
            cargo.env_remove(&name);
        }
    }
    cargo
}

/// How the variables begin that cargo sets for the programs it runs.
const CARGO_ABOUT_ITS_CALLER: [&str; 5] =
    ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_NAME", "CARGO_PRIMARY_PACKAGE"];

#[cfg(test)]
mod tests {
    use super::*;

    /// Otherwise `make image` and the tests that use its images take turns in building everything anew.
    #[test]
    fn an_inner_cargo_does_not_learn_of_the_outer_one() {
        assert!(env::var_os("CARGO_MANIFEST_DIR").is_some(), "cargo tells its tests about themselves");
        let told: Vec<_> = cargo().get_envs().map(|(name, value)| (name.to_owned(), value.is_none())).collect();
        assert!(told.contains(&("CARGO_MANIFEST_DIR".into(), true)), "{told:?}");
        assert!(told.iter().all(|(name, _)| name != "CARGO_TARGET_DIR"), "{told:?}");
    }
}
