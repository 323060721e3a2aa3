//! The OpenAPI document against the node that serves it: Schemathesis makes up requests from it, good ones and bad ones,
//! and judges the answers by it. What the node answers and the document does not tell is a failure; so is a bad request
//! that is taken, a good one that is not, and an answer of 5xx to whatever was sent.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use kvtenant_tests::stores::{Kept, Store};
use kvtenant_tests::{home, kept, products};

const ADMIN_KEY: &str = "an-admin-key-for-made-up-requests";
const SIGNING_KEY: &str = "a-signing-key-of-at-least-thirty-two-bytes";

/// Which requests are made up, unless `SEED` names others.
const SEED: &str = "1";

/// For each of ninety operations, beside those that its parameters and bodies ask for.
const EXAMPLES_EACH: &str = "20";

/// It takes half a minute on an idle machine.
const SECONDS_MAX: &str = "600";

/// An endless answer, one that changes what the node answers from then on, and a body in a form that cannot be made up.
const LEFT_OUT: [&str; 3] = ["/admin/monitor", "/admin/drain", "/admin/restore"];

/// C22
#[test]
fn made_up_requests_are_answered_as_the_document_says() -> Result<()> {
    let source = home::source().join("schemathesis");
    let programs = kept::python_programs("schemathesis", &source.join("requirements.txt"))?;
    let folder = tempfile::tempdir()?;
    let file = |name: &str, content: &str| -> Result<String> {
        let path = folder.path().join(name);
        home::write(&path, content)?;
        Ok(path.to_str().context("a plain path")?.to_owned())
    };
    let (admin, signing) = (file("admin-key", ADMIN_KEY)?, file("signing-key", SIGNING_KEY)?);
    let flags = ["--memory-limit", "256Mi", "--admin-key-file", &admin, "--secret-file", &signing];
    let node = Store::kvnode_with(&products::for_tests("kvnode")?, Kept::Nothing, &flags)?;
    let address = node.http.context("a node has this port")?;

    let seed = std::env::var("SEED").unwrap_or_else(|_| SEED.to_owned());
    let mut made_up = Command::new("timeout");
    made_up.current_dir(folder.path()).arg(SECONDS_MAX).arg(programs.join("schemathesis"));
    made_up.arg("--config-file").arg(source.join("schemathesis.toml"));
    made_up.args(["run", &format!("http://{address}/openapi.json"), "--no-color", "--generation-database", "none"]);
    made_up.args(["--phases", "examples,coverage,fuzzing", "--seed", &seed, "--max-examples", EXAMPLES_EACH]);
    made_up.args(["--request-timeout", "20", "--header", &format!("Authorization: Bearer {ADMIN_KEY}")]);
    made_up.args(LEFT_OUT.iter().flat_map(|path| ["--exclude-path", path]));
    let output = made_up.output().context("schemathesis cannot be started")?;
    let said = String::from_utf8_lossy(&output.stdout);
    ensure!(node.is_running(), "the node has ended:\n{said}");
    ensure!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    println!("{}", said.rsplit("SUMMARY =").next().unwrap_or_default());
    Ok(())
}
