//! From nothing to "here is your tenant": a cluster, the operator, a four-line manifest, a key written and read back.
//! It prints what it does and how long each step took, so that it is its own explanation.
#![expect(clippy::print_stdout, reason = "this is a command line")]

use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use http::Method;
use kvtenant_tests::bed::Bed;
use kvtenant_tests::clock::{self, Stopwatch};
use kvtenant_tests::cluster::Cluster;
use kvtenant_tests::http::request;
use kvtenant_tests::progress::{Step, say};
use kvtenant_tests::{home, products, shell};

const NAME: &str = "demo";
const NODES: usize = 2;
const SAMPLE: &str = "config/samples/analytics.yaml";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(format!("demo: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    clock::end_waits_on_signals()?;
    let watch = Stopwatch::start();
    let bed = Bed::choose()?;
    let archives = products::archives()?;
    if bed == Bed::Local && Cluster::find(NAME).is_ok() {
        say("The cluster of an earlier demo is still up and is used again.");
    } else {
        bed.up(NAME, NODES)?;
    }
    if bed != Bed::Current {
        let step = Step::start("giving both images to the nodes");
        archives.iter().try_for_each(|archive| bed.load_image(NAME, archive))?;
        step.done("");
    }
    install(bed)?;
    let manifest = apply(bed)?;
    let answer = talk(bed)?;
    println!();
    println!("This is the manifest that was applied ({SAMPLE}):\n\n{}", indented(&manifest));
    println!("and this is what its tenant answered to `GET /analytics/kv/greeting`:\n\n{}", indented(&answer));
    println!("{}", indented(&kubectl(bed, &["get", "kvtenants"])?));
    println!("All of it took {:.0} s. To go on:\n", watch.elapsed().as_secs_f64());
    println!("  alias testbed='.ci/program testbed --name {NAME}'");
    println!("  testbed kubectl describe kvtenant analytics");
    println!("  testbed kubectl explain kvtenant.spec");
    println!(
        "  testbed run -- curl -s http://$(testbed kubectl get service analytics -o jsonpath='{{.spec.clusterIP}}')/analytics/kv"
    );
    println!("  testbed kubectl logs analytics-0");
    println!("  make demo-down");
    Ok(())
}

fn install(bed: Bed) -> Result<()> {
    let step = Step::start("installing the operator (kubectl apply -k config/default)");
    let config = home::workspace().join("config/default");
    kubectl(bed, &["apply", "--server-side", "-k", &config.to_string_lossy()])?;
    step.note("waiting for its Deployment to be available");
    let wait =
        ["-n", "kvtenant-system", "wait", "--for=condition=Available", "--timeout=60s", "deployment/kvtenant-operator"];
    kubectl(bed, &wait)?;
    step.done("");
    Ok(())
}

fn apply(bed: Bed) -> Result<String> {
    let step = Step::start(format!("making a tenant (kubectl apply -f {SAMPLE})"));
    let sample = home::workspace().join(SAMPLE);
    kubectl(bed, &["apply", "-f", &sample.to_string_lossy()])?;
    step.note("waiting for the condition Ready");
    kubectl(bed, &["wait", "--for=condition=Ready", "--timeout=60s", "kvtenant/analytics"])?;
    step.done("");
    std::fs::read_to_string(&sample).with_context(|| format!("cannot read {SAMPLE}"))
}

/// Writes a key and reads it back through the tenant's Service.
fn talk(bed: Bed) -> Result<String> {
    let step = Step::start("writing a key and reading it back through the Service");
    let path = "/analytics/kv/greeting";
    let value = r#"{"value":"hello, tenant"}"#;
    let answer = if bed == Bed::Local {
        let address = kubectl(bed, &["get", "service", "analytics", "-o", "jsonpath={.spec.clusterIP}"])?;
        let authority = format!("{address}:80");
        Cluster::find(NAME)?.network().block_on(|| async move {
            let written = request(Method::PUT, &authority, path, Some(value)).await?;
            ensure!(written.status == 200, "writing was answered with {}: {}", written.status, written.body);
            Ok(request(Method::GET, &authority, path, None).await?.body)
        })?
    } else {
        // Outside of the cluster's network, the API server passes requests on to the Service.
        let proxied = format!("/api/v1/namespaces/default/services/analytics:http/proxy{path}");
        let mut put = bed.kubectl(NAME)?;
        put.args(["replace", "--raw", &proxied, "-f", "-"]);
        shell::output_with_input(&mut put, value.as_bytes())?;
        kubectl(bed, &["get", "--raw", &proxied])?
    };
    let json: serde_json::Value = serde_json::from_str(&answer).with_context(|| format!("no JSON: {answer}"))?;
    ensure!(json["value"] == "hello, tenant", "another value was read than was written: {answer}");
    step.done("");
    Ok(serde_json::to_string_pretty(&json)?)
}

fn kubectl(bed: Bed, arguments: &[&str]) -> Result<String> {
    shell::output(bed.kubectl(NAME)?.args(arguments))
}

fn indented(text: &str) -> String {
    format!("    {}\n", text.trim_end().replace('\n', "\n    "))
}
