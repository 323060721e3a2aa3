//! Running a program to its end and telling, when it fails, which one and what it said.

use std::ffi::OsStr;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result, bail};

/// Of a failed program's last words, as much as a person reads.
const LAST_WORDS_BYTES: usize = 2_000;

/// A command line to be run to its end.
pub fn command(program: impl AsRef<OsStr>, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments);
    command
}

/// Runs it and gives what it printed.
pub fn run(program: impl AsRef<OsStr>, arguments: &[&str]) -> Result<String> {
    output(&mut command(program, arguments))
}

/// Runs it and gives what it printed; what it printed to stderr is told when it fails.
pub fn output(command: &mut Command) -> Result<String> {
    let finished = command.stdin(Stdio::null()).output().with_context(|| cannot_start(command))?;
    judged(command, &finished)
}

/// Runs it with `input` on its stdin.
pub fn output_with_input(command: &mut Command, input: &[u8]) -> Result<String> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| cannot_start(command))?;
    let mut stdin = child.stdin.take().expect("stdin was asked to be a pipe");
    let written = stdin.write_all(input);
    drop(stdin);
    let finished = child.wait_with_output()?;
    let printed = judged(command, &finished)?;
    written.with_context(|| format!("{} did not read its input", line_of(command)))?;
    Ok(printed)
}

pub fn found(program: &str) -> bool {
    path_of(program).is_some()
}

/// Where on the PATH it lies.
pub fn path_of(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

fn judged(command: &Command, finished: &Output) -> Result<String> {
    if !finished.status.success() {
        let said = String::from_utf8_lossy(&finished.stderr);
        let said = if said.trim().is_empty() { String::from_utf8_lossy(&finished.stdout) } else { said };
        bail!("`{}` failed ({}): {}", line_of(command), finished.status, last_words(said.trim()));
    }
    Ok(String::from_utf8_lossy(&finished.stdout).into_owned())
}

fn last_words(text: &str) -> &str {
    let mut from = text.len().saturating_sub(LAST_WORDS_BYTES);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    &text[from..]
}

fn cannot_start(command: &Command) -> String {
    format!("cannot start {}", command.get_program().to_string_lossy())
}

fn line_of(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_program_is_named_with_its_last_words() {
        let error = run("sh", &["-c", "echo no such door >&2; exit 3"]).unwrap_err().to_string();
        assert!(error.contains("exit status: 3") && error.ends_with("no such door"), "{error}");
    }

    #[test]
    fn input_reaches_the_program() {
        assert_eq!(output_with_input(&mut command("cat", &[]), b"hello").unwrap(), "hello");
    }

    #[test]
    fn last_words_are_cut_between_characters() {
        let long = "ä".repeat(LAST_WORDS_BYTES);
        assert!(last_words(&long).len() <= LAST_WORDS_BYTES);
    }
}
