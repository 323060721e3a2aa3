//! Which Kubernetes is used: one made here (`local`), one in Docker (`kind`), or the one that the current kubeconfig
//! context names (`current`). `KVT_CLUSTER` picks; without it the first that can work here, and it is said which.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::cluster::{self, Cluster};
use crate::programs::{Family, Programs};
use crate::progress::{Step, say};
use crate::{home, packages, shell};

/// The kinds of cluster that tests and the demo can run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bed {
    Local,
    Kind,
    Current,
}

impl Bed {
    /// What `KVT_CLUSTER` says, else the first that can work here.
    pub fn choose() -> Result<Self> {
        if let Ok(given) = std::env::var("KVT_CLUSTER") {
            return match given.as_str() {
                "local" => Ok(Self::Local),
                "kind" => Ok(Self::Kind),
                "current" => Ok(Self::Current),
                other => bail!("KVT_CLUSTER is `{other}`: it can be local, kind or current"),
            };
        }
        let why_not_local = match cluster::check_machine() {
            Ok(()) => return Ok(Self::Local),
            Err(reason) => reason,
        };
        if shell::found("kind") && packages::builds("docker") {
            say(format!("Using kind, since {why_not_local:#}."));
            return Ok(Self::Kind);
        }
        if let Ok(context) = shell::run("kubectl", &["config", "current-context"]) {
            say(format!(
                "Using the current context {}, since {why_not_local:#}, and there is no kind.",
                context.trim()
            ));
            return Ok(Self::Current);
        }
        bail!(
            "no Kubernetes can be used here: {why_not_local:#}; and there is neither kind with Docker nor a current kubeconfig context"
        );
    }

    pub fn up(self, name: &str, nodes: usize) -> Result<()> {
        match self {
            Self::Local => Cluster::up(name, nodes).map(drop),
            Self::Kind => Kind::new(name)?.up(nodes),
            Self::Current => {
                let context = shell::run("kubectl", &["config", "current-context"])?;
                shell::run("kubectl", &["version"]).context("the current context's API server does not answer")?;
                say(format!("Using the cluster of the context {}; nothing was made.", context.trim()));
                Ok(())
            }
        }
    }

    pub fn down(self, name: &str) -> Result<()> {
        match self {
            Self::Local => Cluster::down(name),
            Self::Kind => Kind::new(name)?.down(),
            Self::Current => {
                say("The cluster of the current context was not made here and stays as it is.");
                Ok(())
            }
        }
    }

    /// A program that is to run where the cluster can be reached, with `KUBECONFIG` set.
    pub fn command(self, name: &str, program: &Path) -> Result<Command> {
        match self {
            Self::Local => Cluster::find(name)?.command(program),
            Self::Kind => {
                let mut command = Command::new(program);
                command.env("KUBECONFIG", Kind::new(name)?.kubeconfig());
                Ok(command)
            }
            Self::Current => Ok(Command::new(program)),
        }
    }

    pub fn kubectl(self, name: &str) -> Result<Command> {
        match self {
            Self::Local => Cluster::find(name)?.kubectl_command(),
            Self::Kind | Self::Current => {
                let own = PathBuf::from("kubectl");
                let kubectl =
                    if shell::found("kubectl") { own } else { Programs::of(Family::Kubernetes)?.path("kubectl") };
                self.command(name, &kubectl)
            }
        }
    }

    pub fn load_image(self, name: &str, archive: &Path) -> Result<()> {
        match self {
            Self::Local => Cluster::find(name)?.load_image(archive),
            Self::Kind => Kind::new(name)?.load_image(archive),
            Self::Current => bail!(
                "the nodes of the current context cannot be given an archive: push the image to a registry that they pull from"
            ),
        }
    }

    /// A fault on one node, or its end.
    pub fn node(self, name: &str, node: &str, act: NodeAct) -> Result<()> {
        match self {
            Self::Local => {
                let cluster = Cluster::find(name)?;
                match act {
                    NodeAct::Cut => cluster.cut(node),
                    NodeAct::Heal => cluster.heal(node),
                    NodeAct::Stop => cluster.stop(node),
                    NodeAct::Start => cluster.start(node),
                }
            }
            Self::Kind => Kind::new(name)?.node(node, act),
            Self::Current => bail!("the nodes of the current context are not ours to disturb"),
        }
    }
}

/// What can be done to a node.
#[derive(Debug, Clone, Copy)]
pub enum NodeAct {
    Cut,
    Heal,
    Stop,
    Start,
}

/// A cluster in Docker, by the `kind` program. Its nodes are called as ours are: `node1` is its first worker.
#[derive(Debug)]
struct Kind {
    name: String,
    folder: PathBuf,
}

impl Kind {
    fn new(name: &str) -> Result<Self> {
        for program in ["kind", "docker"] {
            if !shell::found(program) {
                bail!("KVT_CLUSTER=kind needs {program}, which is not on the PATH");
            }
        }
        Ok(Self { name: format!("kvt-{name}"), folder: home::made(home::home()?.join("kind"))? })
    }

    fn kubeconfig(&self) -> PathBuf {
        self.folder.join(format!("{}.kubeconfig", self.name))
    }

    fn up(&self, nodes: usize) -> Result<()> {
        let step = Step::start(format!("creating the kind cluster {}", self.name));
        let mut roles = vec![serde_json::json!({"role": "control-plane"})];
        roles.extend((0..nodes).map(|_| serde_json::json!({"role": "worker"})));
        let config = serde_json::json!({"kind": "Cluster", "apiVersion": "kind.x-k8s.io/v1alpha4", "nodes": roles});
        let mut create =
            shell::command("kind", &["create", "cluster", "--wait", "180s", "--config", "-", "--name", &self.name]);
        create.arg("--kubeconfig").arg(self.kubeconfig());
        shell::output_with_input(&mut create, config.to_string().as_bytes())?;
        step.done("");
        Ok(())
    }

    fn down(&self) -> Result<()> {
        let mut delete = shell::command("kind", &["delete", "cluster", "--name", &self.name]);
        shell::output(delete.arg("--kubeconfig").arg(self.kubeconfig())).map(drop)
    }

    fn load_image(&self, archive: &Path) -> Result<()> {
        let mut load = shell::command("kind", &["load", "image-archive", "--name", &self.name]);
        shell::output(load.arg(archive)).map(drop)
    }

    fn node(&self, node: &str, act: NodeAct) -> Result<()> {
        let container = match node.strip_prefix("node").and_then(|number| number.parse::<usize>().ok()) {
            Some(1) => format!("{}-worker", self.name),
            Some(number) if number > 1 => format!("{}-worker{number}", self.name),
            _ => bail!("there is no node {node}: nodes are node1, node2, ..."),
        };
        let arguments: &[&str] = match act {
            NodeAct::Cut => &["network", "disconnect", "kind", &container],
            NodeAct::Heal => &["network", "connect", "kind", &container],
            NodeAct::Stop => &["kill", &container],
            NodeAct::Start => &["start", &container],
        };
        shell::run("docker", arguments).map(drop)
    }
}
