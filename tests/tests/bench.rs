//! The benchmarks' command line, as `make bench` calls it: with variables. Nothing is measured here.

use std::process::Command;

/// What it says where none of the programs it needs is to be had, which it looks at first after its settings.
fn says_without_programs(settings: &[(&str, &str)]) -> String {
    let mut bench = Command::new(env!("CARGO_BIN_EXE_bench"));
    let output = bench.env("PATH", "/nonexistent").envs(settings.iter().copied()).output().expect("cargo built it");
    assert!(!output.status.success());
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn variables_are_understood_as_the_makefile_names_them() {
    let settings = [("WORK", "resp"), ("SERVERS", "valkey,redis"), ("ROUNDS", "3"), ("KEYS", "100000"), ("WRITE", "1")];
    let said = says_without_programs(&settings);
    assert!(said.starts_with("bench: these packages are missing: "), "{said}");
}

#[test]
fn work_that_does_not_exist_is_answered_with_what_does() {
    let said = says_without_programs(&[("WORK", "everything")]);
    assert!(said.contains("everything") && said.contains("all, http, resp, memory, connections"), "{said}");
}
