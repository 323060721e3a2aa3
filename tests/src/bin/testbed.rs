//! The command line of the test bed. Every command is one call of the library that tests use too.
#![expect(clippy::print_stdout, reason = "this is a command line")]

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};
use clap::{Parser, Subcommand};
use kvtenant_tests::bed::{Bed, NodeAct};
use kvtenant_tests::cluster::{self, Cluster, Guard};
use kvtenant_tests::programs::{Family, Programs};
use kvtenant_tests::progress::say;
use kvtenant_tests::{api, clock, home, packages, products, schemas};

/// A real Kubernetes on one Linux machine: etcd, API server, nodes with containerd and kubelet, DNS, metrics, volumes.
///
/// It lives in network namespaces of its own, pulls nothing, and `down` leaves nothing behind.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "\
Examples:
  testbed up --nodes 3              make a cluster of three nodes
  testbed kubectl get nodes         talk to it
  testbed cut node2                 pull a node's network cable; `heal node2` plugs it in
  testbed run -- curl http://...    run a program in the cluster's network
  testbed logs node1/kubelet        what a component said
  testbed down                      remove it

KVT_CLUSTER=local|kind|current chooses which cluster is meant; KVT_HOME where caches are kept;
KVT_KUBE_BIN a folder with programs to be used instead of those built here."
)]
struct Line {
    /// Which of several clusters side by side.
    #[arg(long, global = true, env = "KVT_NAME", default_value = "dev")]
    name: String,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Make a cluster.
    Up {
        /// How many nodes run pods, 1 to 9.
        #[arg(long, default_value_t = 2)]
        nodes: usize,
    },
    /// Remove a cluster and check that nothing of it is left.
    Down,
    /// Make a cluster, run a program with it (`KVT_NAME` names it), remove it.
    With {
        #[arg(long, default_value_t = 2)]
        nodes: usize,
        #[arg(last = true, required = true)]
        program: Vec<OsString>,
    },
    /// Talk to the cluster's API.
    #[command(disable_help_flag = true)]
    Kubectl {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Run a program in the cluster's network, where Services and pods can be reached.
    Run {
        #[arg(last = true, required = true)]
        program: Vec<OsString>,
    },
    /// Give image archives to all nodes.
    LoadImage {
        #[arg(required = true)]
        archives: Vec<PathBuf>,
    },
    /// Pull the network cable of a node.
    Cut { node: String },
    /// Plug the network cable of a node in again.
    Heal { node: String },
    /// Pull the plug of a node.
    Stop { node: String },
    /// Switch a stopped node on again.
    Start { node: String },
    /// What a component said; without a name, which components there are.
    Logs { component: Option<String> },
    /// Which clusters there are and how their nodes are.
    Status,
    /// Build what can be built ahead: programs (all, or those of one family) and system packages.
    Prepare {
        #[arg(value_parser = family)]
        family: Option<Family>,
        /// Print the path of this program of the family.
        #[arg(long, requires = "family")]
        program: Option<String>,
    },
    /// Build the images of kvnode and of the operator and print the paths of their archives.
    Images,
    /// Make schemas of all kinds, built-in and our own; prints what kubeconform wants as `-schema-location`.
    Schemas {
        /// A new folder for them.
        folder: PathBuf,
    },
    /// Run a control plane alone until stdin closes.
    #[command(hide = true)]
    ControlPlane,
    /// Take the cluster down when stdin closes.
    #[command(hide = true)]
    Guard,
}

fn main() -> ExitCode {
    let line = Line::parse();
    match run(line) {
        Ok(code) => code,
        Err(error) => {
            say(format!("testbed: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(line: Line) -> Result<ExitCode> {
    let name = line.name.as_str();
    match line.verb {
        Verb::Up { nodes } => {
            clock::end_waits_on_signals()?;
            let bed = Bed::choose()?;
            bed.up(name, nodes)?;
            say(format!("The cluster {name} is up. Try: testbed --name {name} kubectl get nodes"));
        }
        Verb::Down => {
            Bed::choose()?.down(name)?;
            say(format!("Nothing of the cluster {name} is left."));
        }
        Verb::With { nodes, program } => return with(name, nodes, &program),
        Verb::Kubectl { arguments } => return become_program(Bed::choose()?.kubectl(name)?.args(arguments)),
        Verb::Run { program } => {
            let (first, rest) = program.split_first().context("name a program to run")?;
            return become_program(Bed::choose()?.command(name, first.as_ref())?.args(rest));
        }
        Verb::LoadImage { archives } => {
            for archive in archives {
                Bed::choose()?.load_image(name, &archive)?;
            }
        }
        Verb::Cut { node } => Bed::choose()?.node(name, &node, NodeAct::Cut)?,
        Verb::Heal { node } => Bed::choose()?.node(name, &node, NodeAct::Heal)?,
        Verb::Stop { node } => Bed::choose()?.node(name, &node, NodeAct::Stop)?,
        Verb::Start { node } => Bed::choose()?.node(name, &node, NodeAct::Start)?,
        Verb::Logs { component } => logs(name, component.as_deref())?,
        Verb::Status => status()?,
        Verb::Prepare { family, program } => prepare(family, program.as_deref())?,
        Verb::Images => {
            for archive in products::archives()? {
                println!("{}", archive.display());
            }
        }
        Verb::Schemas { folder } => println!("{}", schemas::make(&folder, &home::workspace().join("crds"))?),
        Verb::ControlPlane => api::supervise()?,
        Verb::Guard => cluster::keep_until_closed(name)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The cluster goes when the program ends, and also when we are killed: the guard sees to that.
fn with(name: &str, nodes: usize, program: &[OsString]) -> Result<ExitCode> {
    let bed = Bed::choose()?;
    let testbed = std::env::current_exe()?;
    let _guard = match bed {
        Bed::Local => Some(Guard::over(&testbed.to_string_lossy(), name)?),
        Bed::Kind | Bed::Current => None,
    };
    clock::end_waits_on_signals()?;
    bed.up(name, nodes)?;
    let (first, rest) = program.split_first().context("name a program to run")?;
    // Should we be killed outright, the program goes as well: its cluster is being taken away under it.
    let ended = Command::new("setpriv")
        .args(["--pdeathsig", "TERM", "--"])
        .arg(first)
        .args(rest)
        .env("KVT_NAME", name)
        .status();
    bed.down(name)?;
    let status = ended.with_context(|| format!("cannot start {}", first.to_string_lossy()))?;
    Ok(match status.code() {
        Some(code) => ExitCode::from(u8::try_from(code).unwrap_or(1)),
        None => ExitCode::FAILURE,
    })
}

/// Becomes the program, so that its exit code and its terminal are the caller's.
fn become_program(command: &mut Command) -> Result<ExitCode> {
    let error = command.exec();
    Err(error).with_context(|| format!("cannot start {}", command.get_program().to_string_lossy()))
}

fn logs(name: &str, component: Option<&str>) -> Result<()> {
    let all = Cluster::find(name)?.logs()?;
    let names: Vec<&str> = all.iter().map(|(name, _)| name.as_str()).collect();
    match component {
        None => println!("{}", names.join("\n")),
        Some(wanted) => match all.iter().find(|(name, _)| name == wanted) {
            Some((_, path)) => print!("{}", std::fs::read_to_string(path)?),
            None => bail!("there is no component {wanted}: there are {}", names.join(", ")),
        },
    }
    Ok(())
}

fn status() -> Result<()> {
    let (clusters, strays) = cluster::all()?;
    if clusters.is_empty() && strays.is_empty() {
        println!("No cluster is up. Make one: testbed up");
    }
    for state in clusters {
        let whole = if state.complete { "up" } else { "half-dead or on its way: `testbed down` removes it" };
        println!("{}  {whole}, pods and nodes {}", state.name, state.range.flat());
        let Ok(cluster) = Cluster::find(&state.name) else { continue };
        for node in cluster.node_names() {
            println!("  {node}  {}", if cluster.is_running(&node)? { "running" } else { "stopped" });
        }
    }
    for name in strays {
        println!("{name}  remains without a state: `testbed --name {name} down` removes them");
    }
    println!("Caches are kept in {}", home::home()?.display());
    Ok(())
}

fn prepare(one: Option<Family>, program: Option<&str>) -> Result<()> {
    let Some(one) = one else {
        if cluster::check_machine().is_ok() {
            packages::ensure()?;
        }
        return Family::ALL.into_iter().try_for_each(|family| Programs::of(family).map(drop));
    };
    let programs = Programs::of(one)?;
    match program {
        None => Ok(()),
        Some(program) if one.programs().contains(&program) => {
            println!("{}", programs.path(program).display());
            Ok(())
        }
        Some(other) => bail!("{} has no program {other}: it has {}", one.name(), one.programs().join(", ")),
    }
}

fn family(name: &str) -> Result<Family, String> {
    let names = || Family::ALL.map(Family::name).join(", ");
    Family::ALL.into_iter().find(|family| family.name() == name).ok_or_else(|| format!("there are {}", names()))
}
