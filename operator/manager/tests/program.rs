//! The program as its user meets it: what it says when it cannot start, and the definition it prints.

use std::io::Read;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};

/// Runs the operator without any way to a cluster; gives its exit code, standard output and standard error.
fn operator(arguments: &[&str], environment: &[(&str, &Path)]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kvtenant-operator"));
    command.args(arguments).env_clear().stdin(Stdio::null());
    for (name, value) in environment {
        command.env(name, value);
    }
    let output = command.output().expect("the operator can be started");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("the operator writes UTF-8");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

const ANY_PORTS: [&str; 4] = ["--metrics-addr", "127.0.0.1:0", "--health-addr", "127.0.0.1:0"];

fn run_with(more: &[&str], environment: &[(&str, &Path)]) -> (Option<i32>, String) {
    let quiet = ["run", "--log-level", "off"];
    let arguments: Vec<&str> = quiet.iter().chain(&ANY_PORTS).chain(more).copied().collect();
    let (code, _, stderr) = operator(&arguments, environment);
    (code, stderr)
}

#[test]
fn without_a_kubeconfig_one_sentence_says_what_to_set() {
    let (code, stderr) = run_with(&[], &[("KUBECONFIG", Path::new("/nowhere/config"))]);
    assert_eq!(code, Some(2), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(stderr.contains("set KUBECONFIG"), "{stderr}");
}

#[test]
fn an_api_server_that_is_not_there_is_named_with_its_address() {
    // A port that was free a moment ago, and that nobody listens on.
    let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port").port();
    let folder = tempfile::tempdir().expect("a folder");
    let kubeconfig = folder.path().join("kubeconfig");
    let text = format!(
        "apiVersion: v1\nkind: Config\nclusters: [{{name: c, cluster: {{server: 'http://127.0.0.1:{port}'}}}}]\n\
         users: [{{name: u, user: {{token: t}}}}]\ncontexts: [{{name: x, context: {{cluster: c, user: u}}}}]\n\
         current-context: x\n"
    );
    std::fs::write(&kubeconfig, text).expect("the kubeconfig can be written");
    let (code, stderr) = run_with(&[], &[("KUBECONFIG", &kubeconfig)]);
    assert_eq!(code, Some(1), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(stderr.contains(&format!("127.0.0.1:{port}")) && stderr.contains("does not answer"), "{stderr}");
}

#[test]
fn a_port_that_is_taken_is_named_with_its_flag() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let (code, _, stderr) = operator(&["run", "--log-level", "off", "--metrics-addr", &address], &[]);
    assert_eq!(code, Some(2), "{stderr}");
    assert!(stderr.contains("--metrics-addr") && stderr.contains(&address), "{stderr}");
}

#[test]
fn a_log_level_that_is_none_is_refused() {
    let (code, _, stderr) = operator(&["run", "--log-level", "info,=,"], &[]);
    assert_eq!((code, stderr.lines().count()), (Some(2), 1), "{stderr}");
    assert!(stderr.contains("--log-level"), "{stderr}");
}

/// C98. What is installed is what the types say: the file is the program's output, byte for byte.
#[test]
fn the_definition_in_the_repository_is_up_to_date() {
    let (code, printed, stderr) = operator(&["crd"], &[]);
    assert_eq!(code, Some(0), "{stderr}");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for file in ["crds/kvtenants.kvtenant.io.yaml", "charts/kvtenant-crds/templates/kvtenants.kvtenant.io.yaml"] {
        let mut stored = String::new();
        std::fs::File::open(root.join(file))
            .and_then(|mut opened| opened.read_to_string(&mut stored))
            .unwrap_or_else(|error| panic!("{file}: {error}"));
        assert!(stored == printed, "{file} is out of date; run crds/generate.sh");
    }
}
