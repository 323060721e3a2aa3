//! Makes the programs ready to run: what they need is fetched once, in the versions that their lock files name, and kept
//! under `KVT_HOME`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;
use kvtenant_tests::kept::{self, Kept};
use kvtenant_tests::{home, packages, shell};

use crate::program::Program;

/// Copies the jars that `pom.xml` names.
const COPY_JARS: &str = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies";

pub(crate) fn redis_py() -> Result<Program> {
    let source = source("redis-py");
    let programs = kept::python_programs("clients/redis-py", &source.join("requirements.txt"))?;
    let mut program = Command::new(programs.join("python"));
    program.arg(source.join("check.py"));
    Ok(Program(program))
}

pub(crate) fn go_redis() -> Result<Program> {
    let kept = kept("go-redis")?;
    let program = kept.folder.join("check");
    let mut build = Command::new("go");
    build.current_dir(source("go-redis")).args(["build", "-mod=readonly", "-o"]).arg(&program).arg(".");
    shell::output(&mut build)?;
    Ok(Program(Command::new(program)))
}

pub(crate) fn ioredis() -> Result<Program> {
    packages::ensure_programs(&[("node", "nodejs"), ("npm", "npm")])?;
    let source = source("ioredis");
    let kept = kept("ioredis")?;
    kept.made_from(&source.join("package-lock.json"), |lock| {
        fs::copy(lock, kept.folder.join("package-lock.json"))?;
        fs::copy(source.join("package.json"), kept.folder.join("package.json"))?;
        let mut install =
            shell::command("npm", &["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]);
        shell::output(install.current_dir(&kept.folder)).map(drop)
    })?;
    let mut program = Command::new("node");
    program.arg(source.join("check.js")).env("NODE_PATH", kept.folder.join("node_modules"));
    Ok(Program(program))
}

pub(crate) fn lettuce() -> Result<Program> {
    packages::ensure_programs(&[("java", "default-jdk-headless"), ("mvn", "maven")])?;
    let source = source("lettuce");
    let kept = kept("lettuce")?;
    let jars = kept.folder.join("jars");
    kept.made_from(&source.join("pom.xml"), |pom| {
        let mut copy = shell::command("mvn", &["--quiet", "--batch-mode", COPY_JARS, "--file"]);
        copy.arg(pom).arg(format!("-DoutputDirectory={}", jars.display()));
        shell::output(&mut copy).map(drop)
    })?;
    let mut program = Command::new("java");
    // A file of source is compiled as it is run.
    program.arg("--class-path").arg(jars.join("*")).arg(source.join("Check.java"));
    Ok(Program(program))
}

pub(crate) fn redis_rs() -> Result<Program> {
    let kept = kept("redis-rs")?;
    let target = kept.folder.join("target");
    let mut build = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    build.current_dir(source("redis-rs")).args(["build", "--quiet", "--locked", "--target-dir"]).arg(&target);
    shell::output(&mut build)?;
    Ok(Program(Command::new(target.join("debug/kvtenant-tests-redis-rs"))))
}

fn source(client: &str) -> PathBuf {
    home::source().join("clients").join(client)
}

fn kept(client: &str) -> Result<Kept> {
    Kept::open(Path::new("clients").join(client))
}
