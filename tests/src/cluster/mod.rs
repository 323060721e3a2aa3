//! A whole cluster on this machine (L3): control plane, nodes with containerd and kubelet, a flat pod network, DNS,
//! metrics, volumes. It lives in network namespaces without an uplink; several live side by side.

mod addons;
mod address;
mod cgroup;
mod config;
mod guard;
mod images;
mod netns;
mod network;
mod node;
mod state;
mod teardown;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Node as NodeObject;
use kube::api::ListParams;
use kube::{Api, Client};

pub use address::Range;
pub use guard::{Guard, for_tests, keep_until_closed};
pub use images::{BUSYBOX, PROBE};
pub use netns::Netns;
pub use state::State;
pub use teardown::leftovers;

use crate::clock::{self, wait_until};
use crate::control_plane::{self, Place};
use crate::process::{Process, tail};
use crate::programs::{Family, Programs};
use crate::progress::{Step, say};
use crate::{api, home, packages, shell};
use node::Node;

/// Nodes are Ready in 7 s on a quiet machine.
const NODES_READY_WITHIN: Duration = Duration::from_secs(120);

/// DNS and the provisioner start within 5 s on a quiet machine.
const ADDONS_READY_WITHIN: Duration = Duration::from_secs(120);

/// Control group of what is not a node.
const CONTROL_PLANE: &str = "control-plane";

/// A cluster that is up.
#[derive(Debug, Clone)]
pub struct Cluster {
    state: State,
}

impl Cluster {
    /// Brings a cluster up. What is found half-dead under that name is removed first; when this fails, or is
    /// interrupted, nothing but the logs is left.
    pub fn up(name: &str, nodes: usize) -> Result<Self> {
        check_machine()?;
        let _turn = State::lock(name)?;
        if let Some(state) = State::find(name)? {
            if state.complete && teardown::is_alive(name) {
                bail!("a cluster {name} is up already: use it, or remove it with `testbed --name {name} down`");
            }
            say(format!("An earlier cluster {name} did not end well; its remains are removed first."));
        }
        remove(name)?;
        packages::ensure()?;
        // Built before anything runs: it may take minutes, and fail for reasons that need no taking down.
        for family in Family::OF_A_CLUSTER {
            Programs::of(family)?;
        }
        let cluster = Self { state: State::reserve(name, nodes)? };
        cluster.build().inspect_err(|_| cluster.give_up())?;
        Ok(cluster)
    }

    /// One that is up.
    pub fn find(name: &str) -> Result<Self> {
        match State::find(name)? {
            Some(state) if state.complete => Ok(Self { state }),
            _ => bail!("there is no cluster {name}: `testbed --name {name} up` makes it"),
        }
    }

    /// Removes it, whatever state it is in, and checks that nothing is left.
    pub fn down(name: &str) -> Result<()> {
        let _turn = State::lock(name)?;
        remove(name)
    }

    pub fn state(&self) -> &State {
        &self.state
    }

    pub fn name(&self) -> &str {
        &self.state.name
    }

    pub fn node_names(&self) -> Vec<String> {
        (1..=self.state.nodes).map(state::node_name).collect()
    }

    /// Runs `work` inside the cluster's network with a client that has all rights. Pods, nodes and Services are
    /// reached from there as they are from any other place in the cluster.
    pub fn run<T, F>(&self, work: impl FnOnce(Client) -> F + Send) -> Result<T>
    where
        T: Send,
        F: Future<Output = Result<T>>,
    {
        let kubeconfig = self.kubeconfig()?;
        self.network().block_on(|| async move { work(api::client(&kubeconfig).await?).await })
    }

    /// The namespace from which everything in the cluster can be reached.
    pub fn network(&self) -> Netns {
        network::control_plane(&self.state.name)
    }

    /// A program that is to run in the cluster's network, with `KUBECONFIG` set.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Result<Command> {
        let mut command = self.network().command(program);
        command.env("KUBECONFIG", self.kubeconfig()?);
        Ok(command)
    }

    /// A program that is to run inside a node.
    pub fn node_command(&self, node: &str, program: impl AsRef<OsStr>) -> Result<Command> {
        Node::new(&self.state, self.state.number_of(node)?).command(program)
    }

    pub fn kubectl_command(&self) -> Result<Command> {
        self.command(Programs::of(Family::Kubernetes)?.path("kubectl"))
    }

    pub fn kubectl(&self, arguments: &[&str]) -> Result<String> {
        shell::output(self.kubectl_command()?.args(arguments))
    }

    /// `kubectl apply` of the manifests in a text.
    pub fn apply(&self, manifests: &str) -> Result<String> {
        let mut apply = self.kubectl_command()?;
        apply.args(["apply", "--server-side", "-f", "-"]);
        shell::output_with_input(&mut apply, manifests.as_bytes())
    }

    pub fn kubeconfig(&self) -> Result<PathBuf> {
        Ok(self.place()?.admin_kubeconfig())
    }

    /// Loads an image archive into every running node.
    pub fn load_image(&self, archive: &Path) -> Result<()> {
        if !archive.is_file() {
            bail!("{} is no file: name an image archive, for instance one made by `make image`", archive.display());
        }
        std::thread::scope(|scope| {
            let nodes = self.nodes().into_iter().filter(Node::is_running);
            let loads: Vec<_> = nodes.map(|node| scope.spawn(move || node.load_image(archive))).collect();
            loads.into_iter().try_for_each(|load| load.join().expect("loading an image does not panic"))
        })
    }

    /// Pulls the network cable of a node.
    pub fn cut(&self, node: &str) -> Result<()> {
        network::cut(self.name(), self.state.number_of(node)?)
    }

    /// Plugs it in again.
    pub fn heal(&self, node: &str) -> Result<()> {
        network::heal(self.name(), self.state.number_of(node)?)
    }

    /// Pulls the plug of a node: all its processes end at once.
    pub fn stop(&self, node: &str) -> Result<()> {
        Node::new(&self.state, self.state.number_of(node)?).stop()
    }

    /// Switches a stopped node on again.
    pub fn start(&self, node: &str) -> Result<()> {
        let node = Node::new(&self.state, self.state.number_of(node)?);
        if node.is_running() {
            bail!("{} is running already", node.name());
        }
        node.boot()?;
        node.join()
    }

    /// Whether a node's programs run (not whether the cluster sees them: that is `kubectl get nodes`).
    pub fn is_running(&self, node: &str) -> Result<bool> {
        Ok(Node::new(&self.state, self.state.number_of(node)?).is_running())
    }

    /// All log files: component (`kube-apiserver`, `node1/kubelet`) and path.
    pub fn logs(&self) -> Result<Vec<(String, PathBuf)>> {
        let mut found = Vec::new();
        let mut folders = vec![(String::new(), self.state.folder()?.join("log"))];
        for node in self.nodes() {
            folders.push((format!("{}/", node.name()), node.folder()?.join("log")));
        }
        for (prefix, folder) in folders {
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                let file = entry.file_name().to_string_lossy().into_owned();
                let component = file.strip_suffix(".log").unwrap_or(&file);
                found.push((format!("{prefix}{component}"), entry.path()));
            }
        }
        found.sort();
        Ok(found)
    }

    fn nodes(&self) -> Vec<Node<'_>> {
        (1..=self.state.nodes).map(|number| Node::new(&self.state, number)).collect()
    }

    fn place(&self) -> Result<Place> {
        Ok(Place {
            folder: self.state.folder()?,
            address: self.state.range.control_plane(),
            services: self.state.range.services(),
            audit: false,
        })
    }

    fn build(&self) -> Result<()> {
        let step = Step::start("making images for DNS, metrics and volumes");
        let archives = images::archives()?;
        step.done("");
        let step = Step::start(format!("starting the control plane and {} nodes", self.state.nodes));
        let place = self.place()?;
        network::create(&self.state)?;
        self.certificates(&place)?;
        let api = self.start_api(&place)?;
        self.boot_nodes(&archives)?;
        step.note("waiting for the API server");
        let kubeconfig = self.kubeconfig()?;
        let network = self.network();
        control_plane::wait_ready(&place, &api, || {
            network.block_on(|| async { Ok(api::is_ready(&api::client(&kubeconfig).await?).await) })
        })?;
        control_plane::start_controllers(&place, true, &|program| self.own(program))?;
        self.apply(&addons::manifests(&self.state))?;
        for node in self.nodes() {
            node.join()?;
        }
        self.route_services()?;
        step.note("waiting for all nodes to be Ready");
        self.run(|client| self.nodes_ready(client)).inspect_err(|_| self.tell_logs("kubelet"))?;
        step.done("");
        let step = Step::start("waiting for DNS and the volume provisioner");
        self.run(addons_ready)?;
        let mut whole = self.state.clone();
        whole.complete = true;
        whole.save()?;
        step.done("");
        Ok(())
    }

    fn certificates(&self, place: &Place) -> Result<()> {
        let pki = control_plane::prepare(place)?;
        pki.issue("kube-proxy", "system:kube-proxy", None, &[])?;
        pki.kubeconfig("kube-proxy", &place.server())?;
        for node in self.node_names() {
            pki.issue(&node, &format!("system:node:{node}"), Some("system:nodes"), &[])?;
            pki.kubeconfig(&node, &place.server())?;
        }
        Ok(())
    }

    fn start_api(&self, place: &Place) -> Result<Vec<Process>> {
        cgroup::create(&self.group())?;
        control_plane::start_api(place, &|program| self.own(program))
    }

    /// All nodes at once: most of it is unpacking images and waiting for sockets.
    fn boot_nodes(&self, archives: &[PathBuf]) -> Result<()> {
        let boot = |node: &Node| -> Result<()> {
            node.boot()?;
            archives.iter().try_for_each(|archive| node.load_image(archive))
        };
        std::thread::scope(|scope| {
            let boots: Vec<_> = self.nodes().into_iter().map(|node| scope.spawn(move || boot(&node))).collect();
            boots.into_iter().try_for_each(|boot| boot.join().expect("booting a node does not panic"))
        })
    }

    /// Lets the control plane's namespace reach Services too. kube-proxy insists on a Node object and there is none
    /// for the control plane; it only looks there for addresses of node ports, so it may borrow the first node's.
    fn route_services(&self) -> Result<()> {
        let config = self.state.folder()?.join("kube-proxy.yaml");
        config::write_proxy(&self.state, &state::node_name(1), &config)?;
        let mut proxy = self.own(&Programs::of(Family::Kubernetes)?.path("kube-proxy"));
        proxy.arg(format!("--config={}", config.display()));
        Process::start("kube-proxy", &mut proxy, &self.place()?.log("kube-proxy"))?;
        Ok(())
    }

    async fn nodes_ready(&self, client: Client) -> Result<()> {
        let nodes: Api<NodeObject> = Api::all(client);
        wait_until("all nodes to be Ready", NODES_READY_WITHIN, || async {
            let list = nodes.list(&ListParams::default()).await?;
            let ready = list.items.iter().filter(|node| is_ready(node)).count();
            Ok((ready == self.state.nodes).then_some(()))
        })
        .await
    }

    /// A program of the control plane: in its group and its namespace.
    fn own(&self, program: &Path) -> Command {
        cgroup::member(&self.group(), &self.network().command(program))
    }

    fn group(&self) -> String {
        cgroup::name(self.name(), Some(CONTROL_PLANE))
    }

    fn tell_logs(&self, program: &str) {
        for node in self.nodes() {
            if let Ok(log) = node.log(program) {
                say(format!("{} of {} said last:\n{}", program, node.name(), tail(&log, 5)));
            }
        }
    }

    /// The way out when it did not come up: the logs are kept, all else is removed.
    fn give_up(&self) {
        clock::forget_interruption();
        let kept = self.keep_logs();
        if let Err(error) = remove(self.name()) {
            say(format!("What had come up could not be removed: {error:#}"));
        }
        if let Ok(folder) = kept {
            say(format!("The logs are kept in {}", folder.display()));
        }
    }

    fn keep_logs(&self) -> Result<PathBuf> {
        let folder = home::home()?.join("failed").join(self.name());
        drop(std::fs::remove_dir_all(&folder));
        for (component, path) in self.logs()? {
            home::write(folder.join(format!("{component}.log")), std::fs::read(path)?)?;
        }
        Ok(folder)
    }
}

/// Clusters by name: those with a state, and remains of those without.
pub fn all() -> Result<(Vec<State>, Vec<String>)> {
    Ok((State::all()?, teardown::strays()?))
}

/// Why no cluster can be made on this machine, if so.
pub fn check_machine() -> Result<()> {
    if !cfg!(target_os = "linux") {
        bail!("a cluster of one's own needs Linux: use KVT_CLUSTER=kind or KVT_CLUSTER=current here");
    }
    if !nix::unistd::geteuid().is_root() {
        bail!(
            "a cluster of one's own needs root (network namespaces, mounts, control groups): run this with sudo, or use KVT_CLUSTER=kind or KVT_CLUSTER=current"
        );
    }
    let home = home::home()?;
    if ["/var/lib", "/var/log", "/run"].iter().any(|hidden| home.starts_with(hidden)) {
        bail!(
            "{} cannot hold clusters, since each node sees a folder of its own there: set KVT_HOME to another one",
            home.display()
        );
    }
    Ok(())
}

fn remove(name: &str) -> Result<()> {
    teardown::remove(name)
}

fn is_ready(node: &NodeObject) -> bool {
    let conditions = node.status.iter().flat_map(|status| status.conditions.iter().flatten());
    conditions.into_iter().any(|condition| condition.type_ == "Ready" && condition.status == "True")
}

async fn addons_ready(client: Client) -> Result<()> {
    for (namespace, name) in addons::NEEDED {
        let deployments: Api<Deployment> = Api::namespaced(client.clone(), namespace);
        wait_until(&format!("{name} to be available"), ADDONS_READY_WITHIN, || async {
            let status = deployments.get(name).await?.status.unwrap_or_default();
            Ok((status.available_replicas >= Some(1)).then_some(()))
        })
        .await
        .with_context(|| format!("`testbed kubectl -n {namespace} describe pods` may tell why"))?;
    }
    Ok(())
}
