//! The pages for users against what they describe: examples are run, tables are compared with the code. A page that
//! says more or less than the code does is a failure here, not a surprise for a reader.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use kvtenant_api::{ConditionType, Phase, Reason, names};
use kvtenant_tests::clock::wait_for;
use kvtenant_tests::process::{Process, tail};
use kvtenant_tests::{home, packages, products, shell};
use serde_json::Value;

/// A node listens within milliseconds; the machine may be busy with other tests.
const SOON: Duration = Duration::from_secs(20);

/// Where the page's node is reached, as readers type it.
const TYPED_ADDRESS: &str = "localhost:3000";

/// The same for its ports of Redis' protocol; the first is what the program takes by itself.
const TYPED_REDIS: &str = "redis-cli";
const TYPED_REDIS_CLUSTER: &str = "redis-cli -p 6380";

/// Members of answers whose text differs from run to run in its digits only.
const TIMES: [&str; 4] = ["created_at", "updated_at", "expires_at", "timestamp"];

/// Members of answers that are some number or other.
const READINGS: [&str; 4] = ["uptime_seconds", "memory_used_bytes", "data_bytes", "needed_bytes"];

/// Headers that differ from run to run.
const HEADERS: [&str; 2] = ["date: ", "x-request-id: "];

// ---- pages

struct Page {
    text: String,
}

type Row = Vec<String>;

impl Page {
    fn read(name: &str) -> Result<Self> {
        let path = home::workspace().join("docs").join(name);
        Ok(Self { text: fs::read_to_string(&path).with_context(|| path.display().to_string())? })
    }

    /// The rows of the first table under a heading, its head among them.
    fn table(&self, heading: &str) -> Result<Vec<Row>> {
        let under = self.text.lines().skip_while(|line| line.trim_start_matches('#').trim() != heading).skip(1);
        let lines = under.take_while(|line| !line.starts_with('#')).skip_while(|line| !line.starts_with('|'));
        let rows = lines.take_while(|line| line.starts_with('|')).filter(|line| !line.starts_with("|---"));
        let rows: Vec<Row> = rows.map(cells).collect();
        ensure!(rows.len() > 1, "there is no table under the heading '{heading}'");
        Ok(rows)
    }

    /// What stands in code marks in the first column of that table.
    fn first_column(&self, heading: &str) -> Result<BTreeSet<String>> {
        Ok(self.table(heading)?.iter().skip(1).flat_map(|row| codes(&row[0])).collect())
    }
}

fn cells(line: &str) -> Row {
    line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()
}

/// The texts in code marks.
fn codes(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn texts<'t>(words: impl IntoIterator<Item = &'t str>) -> BTreeSet<String> {
    words.into_iter().map(str::to_owned).collect()
}

// ---- examples

/// A command of a `console` block and what stands below it.
#[derive(Debug)]
struct Example {
    line: usize,
    command: String,
    answer: String,
}

fn examples(page: &Page) -> Vec<Example> {
    let mut found: Vec<Example> = Vec::new();
    let mut fence: Option<&str> = None;
    for (index, text) in page.text.lines().enumerate() {
        let line = index + 1;
        match (fence, text.strip_prefix("```")) {
            (None, language) => fence = language,
            (Some(_), Some(_)) => fence = None,
            (Some("console"), None) => match (text.strip_prefix("$ "), found.last_mut()) {
                (Some(command), _) => {
                    found.push(Example { line, command: command.to_owned(), answer: String::new() });
                }
                (None, Some(example)) => example.answer.extend([text, "\n"]),
                (None, None) => panic!("line {line} is an answer to nothing"),
            },
            (Some(language), None) => {
                assert!(!text.contains("curl "), "line {line}: an example in a block of {language:?} is never run");
            }
        }
    }
    found
}

/// Whether an answer is what the page says, apart from what differs from run to run.
fn is_as_told(told: &str, answer: &str) -> bool {
    let (told_head, told_body) = head_and_body(told);
    let (head, body) = head_and_body(answer);
    let same_body = match (serde_json::from_str(told_body), serde_json::from_str(body)) {
        (Ok(told), Ok(body)) => is_same_json("", &told, &body),
        _ => told_body.trim_end() == body.trim_end(),
    };
    told_head == head && same_body
}

/// The head in an order of its own, without what differs; an answer may have none.
fn head_and_body(text: &str) -> (BTreeSet<String>, &str) {
    if !text.starts_with("HTTP/") {
        return (BTreeSet::new(), text);
    }
    let (head, body) = text.split_once("\n\n").unwrap_or((text.trim_end(), ""));
    let masked = |line: &str| HEADERS.into_iter().find(|name| line.starts_with(name)).unwrap_or(line).to_owned();
    (head.lines().map(masked).collect(), body)
}

fn is_same_json(name: &str, told: &Value, found: &Value) -> bool {
    match (told, found) {
        (Value::Number(_), Value::Number(_)) if READINGS.contains(&name) => true,
        (Value::String(told), Value::String(found)) if TIMES.contains(&name) => shape(told) == shape(found),
        (Value::String(told), Value::String(found)) if is_from_chance(told) => told.len() == found.len(),
        (Value::Array(told), Value::Array(found)) => {
            told.len() == found.len() && told.iter().zip(found).all(|(told, found)| is_same_json("", told, found))
        }
        (Value::Object(told), Value::Object(found)) => {
            told.len() == found.len()
                && told.iter().all(|(name, told)| found.get(name).is_some_and(|found| is_same_json(name, told, found)))
        }
        _ => told == found,
    }
}

/// Tokens, API keys and ids are others in every run, and as long.
fn is_from_chance(text: &str) -> bool {
    let digits = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let uuid = text.len() == 36 && text.split('-').count() == 5;
    digits || uuid || text.starts_with("eyJ") || text.starts_with("kvt_")
}

fn shape(text: &str) -> String {
    text.chars().map(|char| if char.is_ascii_digit() { '0' } else { char }).collect()
}

// ---- a node

/// The program, built as it is now.
fn kvnode() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        products::for_tests("kvnode").unwrap_or_else(|error| panic!("no kvnode to test with: {error:#}"))
    })
}

/// A node that ends with its value; should this program be killed, the kernel ends it.
struct Node {
    process: Process,
    address: SocketAddr,
    redis: [u16; 2],
}

impl Node {
    /// Variables are weaker than flags and so put the node on a free port of loopback without touching the example.
    fn start(folder: &Path, flags: &str) -> Result<Self> {
        let redis = [free_port()?, free_port()?];
        let log = folder.join("log");
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--"]).arg(kvnode()).args(flags.split_whitespace());
        command.current_dir(folder).env_clear().env("PATH", env::var_os("PATH").unwrap_or_default());
        command.envs([("PORT", "0"), ("METRICS_PORT", "0"), ("BIND", "127.0.0.1"), ("LOG_FORMAT", "json")]);
        command.envs([("RESP_PORT", redis[0].to_string()), ("RESP_CLUSTER_PORT", redis[1].to_string())]);
        let process = Process::start("kvnode", &mut command, &log)?;
        let mut node = Self { process, address: ([0, 0, 0, 0], 0).into(), redis };
        node.address = wait_for("kvnode to listen", SOON, || {
            let text = fs::read_to_string(&log)?;
            let mut lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
            let address = lines.find_map(|line| line["address"].as_str().and_then(|address| address.parse().ok()));
            ensure!(address.is_some(), "it said: {}", tail(&log, 5));
            Ok(address)
        })?;
        Ok(node)
    }

    /// A command line as it has to be for this node. It speaks to one of the ports only.
    fn reached(&self, line: &str) -> String {
        let is_for_cluster = line.contains(TYPED_REDIS_CLUSTER);
        let [typed, port] = if is_for_cluster {
            [TYPED_REDIS_CLUSTER, &self.redis[1].to_string()]
        } else {
            [TYPED_REDIS, &self.redis[0].to_string()]
        };
        line.replace(TYPED_ADDRESS, &self.address.to_string()).replace(typed, &format!("redis-cli -p {port}"))
    }
}

/// Nobody else asked for it a moment ago.
fn free_port() -> Result<u16> {
    Ok(std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

impl Drop for Node {
    fn drop(&mut self) {
        // One that cannot be ended now ends with this program.
        let _ = self.process.end();
    }
}

/// Where the programs are that readers type, this one among them.
fn path_with_kvnode() -> Result<std::ffi::OsString> {
    let folder = kvnode().parent().context("a program stands in a folder")?.to_owned();
    let path = env::var_os("PATH").unwrap_or_default();
    Ok(env::join_paths([folder].into_iter().chain(env::split_paths(&path)))?)
}

/// What a command line prints when the node of the page is this one.
fn typed(folder: &Path, node: Option<&Node>, line: &str) -> Result<String> {
    let line = node.map_or_else(|| line.to_owned(), |node| node.reached(line));
    let mut command = shell::command("sh", &["-c", &line]);
    // A proxy or a curlrc of whoever runs the test has no say.
    command.current_dir(folder).env_clear().env("PATH", path_with_kvnode()?);
    if let Some(node) = node {
        command.env("KVNODE_URL", format!("http://{}", node.address));
    }
    Ok(shell::output(&mut command)?.replace('\r', ""))
}

// ---- examples of pages

/// Readers type what stands there; it has to work, in the order in which it stands.
fn every_example_answers_as_it_says(page: &str, is_as_told: fn(&str, &str) -> bool) -> Result<()> {
    for program in ["curl", "openssl"] {
        ensure!(shell::found(program), "{program} is missing; install it to run the examples of docs/{page}");
    }
    let folder = tempfile::tempdir()?;
    let mut node: Option<Node> = None;
    let mut wrong = Vec::new();
    let examples = examples(&Page::read(page)?);
    ensure!(!examples.is_empty(), "the page has no examples");
    for Example { line, command, answer: told } in &examples {
        let flags = command.strip_prefix("kvnode ").filter(|flags| !flags.starts_with("ctl "));
        if let Some(flags) = flags {
            drop(node.take());
            let started = Node::start(folder.path(), flags.trim_end_matches('&'));
            node = Some(started.with_context(|| format!("line {line}: $ {command}"))?);
        } else {
            let answer = typed(folder.path(), node.as_ref(), command).with_context(|| format!("line {line}"))?;
            if !is_as_told(told, &answer) {
                wrong.push(format!("line {line}: $ {command}\nthe page says\n{told}the answer is\n{answer}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    Ok(())
}

// ---- docs/ctl.md

#[test]
fn every_example_of_the_ctl_page_answers_as_it_says() -> Result<()> {
    every_example_answers_as_it_says("ctl.md", |told, answer| {
        is_as_told(told, answer) || without_numbers(told) == without_numbers(answer)
    })
}

/// Tables are as wide as their numbers, so blanks are not compared either.
fn without_numbers(text: &str) -> Vec<String> {
    text.split_whitespace().map(|word| word.replace(|char: char| char.is_ascii_digit(), "")).collect()
}

/// What is not in the table is not found, and what is not a command cannot be typed.
#[test]
fn every_command_of_ctl_is_documented() -> Result<()> {
    let told = Page::read("ctl.md")?.first_column("kvnode ctl")?;
    let help = shell::output(Command::new(kvnode()).args(["ctl", "--help"]))?;
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let names = commands.filter(|line| !line.starts_with("   ")).filter_map(|line| line.split_whitespace().next());
    assert_eq!(told, texts(names.filter(|name| *name != "help")));
    Ok(())
}

// ---- docs/operations.md

#[test]
fn every_example_of_the_page_for_operators_answers_as_it_says() -> Result<()> {
    every_example_answers_as_it_says("operations.md", is_as_told)
}

// ---- docs/redis.md

#[test]
fn every_example_of_the_redis_page_answers_as_it_says() -> Result<()> {
    packages::ensure_programs(&[("redis-cli", "redis-tools")])?;
    every_example_answers_as_it_says("redis.md", is_as_told)
}

// ---- docs/http-api.md

#[test]
fn every_example_of_the_http_page_answers_as_it_says() -> Result<()> {
    every_example_answers_as_it_says("http-api.md", is_as_told)
}

/// Type and labels of a metric; the bound of a histogram's bucket is its format, not a label to document.
type Metric = (String, BTreeSet<String>);

fn exported(page: &str) -> BTreeMap<String, Metric> {
    let mut metrics: BTreeMap<String, Metric> = BTreeMap::new();
    let mut family = String::new();
    for line in page.lines() {
        if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')) {
            name.clone_into(&mut family);
            metrics.insert(family.clone(), (kind.to_owned(), BTreeSet::new()));
        } else if let (Some((_, labels)), Some(metric)) = (line.split_once('{'), metrics.get_mut(&family)) {
            let labels = labels.split("\",").filter_map(|pair| pair.split_once("=\"")).map(|(name, _)| name);
            metric.1.extend(labels.filter(|name| *name != "le").map(str::to_owned));
        }
    }
    metrics
}

/// Dashboards and alerts are built from this table.
#[test]
fn the_table_of_metrics_is_what_a_node_exports() -> Result<()> {
    let rows = Page::read("http-api.md")?.table("Metrics")?;
    let documented = rows.iter().skip(1).map(|row| (codes(&row[0]).concat(), row)).map(|(name, row)| {
        let labels: BTreeSet<String> = codes(&row[2]).into_iter().collect();
        (name, (row[1].clone(), labels))
    });
    let documented: BTreeMap<String, Metric> = documented.collect();

    let folder = tempfile::tempdir()?;
    // What is exported of a disk is there with one only.
    let data = folder.path().join("data");
    let flags = format!("--tenant dev --data-dir {} --persistence everysec", data.display());
    let node = Node::start(folder.path(), &flags)?;
    // A family shows its labels once it has counted something.
    typed(folder.path(), Some(&node), "curl -s localhost:3000/dev/kv")?;
    let page = wait_for("the background tasks to have run once", SOON, || {
        let page = typed(folder.path(), Some(&node), "curl -s localhost:3000/metrics")?;
        Ok(page.contains("background_tasks_total{").then_some(page))
    })?;
    assert_eq!(documented, exported(&page));
    Ok(())
}

// ---- docs/kvtenant.md

/// The schema of the KVTenant as it is installed.
fn schema() -> Result<Value> {
    let crd = serde_json::to_value(kvtenant_api::crd())?;
    Ok(crd["spec"]["versions"][0].clone())
}

/// Every field that holds a value, by its path, with its default.
fn leaves(schema: &Value, path: &str, found: &mut BTreeMap<String, Value>) {
    let (properties, path) = match &schema["properties"] {
        Value::Null => (&schema["items"]["properties"], format!("{path}[]")),
        properties => (properties, path.to_owned()),
    };
    let Some(properties) = properties.as_object() else {
        found.insert(path.trim_end_matches("[]").to_owned(), schema["default"].clone());
        return;
    };
    for (name, schema) in properties {
        let dot = if path.is_empty() { "" } else { "." };
        leaves(schema, &format!("{path}{dot}{name}"), found);
    }
}

fn fields(part: &str) -> Result<BTreeMap<String, Value>> {
    let mut found = BTreeMap::new();
    leaves(&schema()?["schema"]["openAPIV3Schema"]["properties"][part], "", &mut found);
    Ok(found)
}

/// A field nobody finds is a field nobody uses, and a wrong default is worse.
#[test]
fn every_field_of_the_spec_is_documented_with_its_default() -> Result<()> {
    let rows = Page::read("kvtenant.md")?.table("Spec")?;
    let told: BTreeMap<String, &str> =
        rows.iter().skip(1).map(|row| (codes(&row[0]).concat(), row[1].as_str())).collect();
    let fields = fields("spec")?;
    assert_eq!(told.keys().collect::<Vec<_>>(), fields.keys().collect::<Vec<_>>());
    for (field, default) in fields.iter().filter(|(_, default)| !default.is_null()) {
        let default = default.as_str().map_or_else(|| default.to_string(), str::to_owned);
        assert_eq!(told[field], format!("`{default}`"), "the default of {field}");
    }
    Ok(())
}

#[test]
fn every_field_of_the_status_is_documented() -> Result<()> {
    let told = Page::read("kvtenant.md")?.first_column("Status")?;
    assert_eq!(told, fields("status")?.into_keys().collect());
    Ok(())
}

/// K64
#[test]
fn every_column_of_kubectl_get_is_documented() -> Result<()> {
    let told = Page::read("kvtenant.md")?.first_column("Columns")?;
    let schema = schema()?;
    let columns = schema["additionalPrinterColumns"].as_array().context("there are columns")?;
    assert_eq!(told, columns.iter().filter_map(|column| Some(column["name"].as_str()?.to_uppercase())).collect());
    Ok(())
}

/// A condition is read in a hurry; its words must be found.
#[test]
fn every_condition_and_reason_is_documented_and_no_other() -> Result<()> {
    let page = Page::read("kvtenant.md")?;
    let table = page.table("Conditions")?;
    let types: BTreeSet<String> = table[0].iter().flat_map(|cell| codes(cell)).collect();
    assert_eq!(types, texts(ConditionType::ALL.iter().map(|about| about.as_str())));
    assert_eq!(page.first_column("Conditions")?, texts(Reason::ALL.iter().map(|reason| reason.as_str())));
    for row in &table[1..] {
        let told = row[1..=types.len()].iter().any(|cell| ["True", "False"].iter().any(|word| cell.contains(word)));
        assert!(told, "{} is the reason of no condition: {row:?}", row[0]);
    }
    assert_eq!(page.first_column("Phases")?, texts(Phase::ALL.iter().map(|phase| phase.as_str())));
    Ok(())
}

#[test]
fn every_label_is_documented() -> Result<()> {
    let labels = [
        names::LABEL_TENANT,
        names::LABEL_NAME,
        names::LABEL_INSTANCE,
        names::LABEL_COMPONENT,
        names::LABEL_MANAGED_BY,
        names::LABEL_PART_OF,
    ];
    assert_eq!(Page::read("kvtenant.md")?.first_column("Labels")?, texts(labels));
    Ok(())
}

/// Every sentence with which the definition refuses an object.
fn sentences(schema: &Value, found: &mut BTreeSet<String>) {
    match schema {
        Value::Object(members) => {
            let rules = members.get("x-kubernetes-validations").and_then(Value::as_array).into_iter().flatten();
            found.extend(rules.filter_map(|rule| rule["message"].as_str()).map(str::to_owned));
            members.values().for_each(|member| sentences(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| sentences(item, found)),
        _ => {}
    }
}

/// People search for the sentence they were refused with.
#[test]
fn every_sentence_of_a_refusal_is_documented_and_no_other() -> Result<()> {
    let rows = Page::read("kvtenant.md")?.table("A manifest is refused")?;
    let told: BTreeSet<String> = rows.iter().skip(1).map(|row| row[0].clone()).collect();
    let mut said = BTreeSet::new();
    sentences(&schema()?, &mut said);
    assert_eq!(told, said);
    Ok(())
}
