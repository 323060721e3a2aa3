//! The servers that are compared, each on a free port of loopback, in a temporary folder, with one serving thread. A
//! peer is set up to be as quick as it can be at what is asked of it, or the comparison would flatter us.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use http::Method;
use kvtenant_tests::clock::wait_for;
use kvtenant_tests::http::{Answer, request_as};

use super::needs::Kvnode;
use super::running::Running;
use super::valkey::Valkey;

/// None of them needs a second to come up on an idle machine.
const UP_WITHIN: Duration = Duration::from_secs(20);

/// The tenant of the measured node.
pub(crate) const TENANT: &str = "bench";

/// All else as it is by default. The log's form is named because a line of it is read.
const KVNODE_FLAGS: [&str; 14] = [
    "--tenant",
    TENANT,
    "--name",
    "n0",
    "--bind",
    "127.0.0.1",
    "--port",
    "0",
    "--metrics-port",
    "0",
    "--threads",
    "1",
    "--log-format",
    "json",
];

/// A server keeps what it holds in `folder`, and has it on the disk a second after it was written.
pub(crate) fn kvnode_keeping(folder: &Path) -> Vec<String> {
    let folder = folder.to_string_lossy();
    ["--data-dir", &folder, "--persistence", "everysec"].map(str::to_owned).to_vec()
}

/// The same for Redis and Valkey; the last of a flag that comes twice counts.
pub(crate) fn redis_keeping(folder: &Path) -> Vec<String> {
    let folder = folder.to_string_lossy();
    ["--dir", &folder, "--appendonly", "yes", "--appendfsync", "everysec"].map(str::to_owned).to_vec()
}

/// The port of Redis' protocol for clients that know of no cluster.
pub(crate) const RESP_PORT: &str = "--resp-port";

/// Its port for those that do. Open by default, and the same for every node of a machine: closed, so that a node that
/// somebody runs here is not in the way.
const RESP_CLUSTER_PORT: &str = "--resp-cluster-port";

/// Signs the tokens of accounts; without it there are none.
pub(crate) const SECRET_FILE: &str = "--secret-file";

/// The file that nginx serves.
pub(crate) const FILE: &str = "/entry.json";

/// A server that takes connections.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) running: Running,
    pub(crate) address: SocketAddr,
}

/// A node at its HTTP port, with accounts.
pub(crate) fn kvnode(kvnode: &Kvnode, core: usize, folder: &Path) -> Result<Server> {
    let secret = folder.join("secret");
    fs::write(&secret, "a secret that is long enough for tokens")?;
    let mut flags = kvnode_flags(kvnode, "0");
    flags.extend([SECRET_FILE.to_owned(), secret.to_string_lossy().into_owned()]);
    let running = Running::start("kvnode", core, folder, &kvnode.program, &flags)?;
    let address = when_up(&running, "kvnode to listen", || Ok(running.said().lines().find_map(listening)))?;
    Ok(Server { running, address })
}

/// A node at its port of Redis' protocol.
pub(crate) fn kvnode_resp(kvnode: &Kvnode, core: usize, folder: &Path, more: &[String]) -> Result<Server> {
    let address = free_address()?;
    let mut flags = kvnode_flags(kvnode, &address.port().to_string());
    flags.extend_from_slice(more);
    answering(Server { running: Running::start("kvnode-resp", core, folder, &kvnode.program, &flags)?, address })
}

/// For this build, which may not have all ports; `resp` is 0 for a closed one.
pub(crate) fn kvnode_flags(kvnode: &Kvnode, resp: &str) -> Vec<String> {
    let ports = [(RESP_PORT, resp), (RESP_CLUSTER_PORT, "0")].into_iter().filter(|(flag, _)| kvnode.has(flag));
    let flags = KVNODE_FLAGS.into_iter().chain(ports.flat_map(|(flag, port)| [flag, port]));
    flags.map(str::to_owned).collect()
}

/// How nginx comes to the file that it serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileIs {
    /// As nginx does unless it is told otherwise, and with what Debian's package sets.
    OpenedEachTime,
    /// The fastest there is: held open, and copied into the answer.
    HeldOpen,
}

/// Serves a file with this content.
pub(crate) fn nginx(content: &str, core: usize, folder: &Path, file_is: FileIs) -> Result<Server> {
    let address = free_address()?;
    let folder = &folder.join(file_is.name());
    fs::create_dir_all(folder)?;
    fs::write(folder.join(FILE.trim_start_matches('/')), content)?;
    let settings = folder.join("nginx.conf");
    fs::write(&settings, nginx_settings(address, folder, file_is))?;
    let [settings, folder_text] = [&settings, folder].map(|path| path.to_string_lossy().into_owned());
    let running = Running::start(file_is.name(), core, folder, "nginx", &["-p", &folder_text, "-c", &settings])?;
    answering(Server { running, address })
}

pub(crate) fn redis(core: usize, folder: &Path, more: &[String]) -> Result<Server> {
    let address = free_address()?;
    let mut arguments = redis_flags(&address.port().to_string(), &folder.to_string_lossy());
    arguments.extend_from_slice(more);
    answering(Server { running: Running::start("redis-server", core, folder, "redis-server", &arguments)?, address })
}

pub(crate) fn valkey(valkey: &Valkey, core: usize, folder: &Path, more: &[String]) -> Result<Server> {
    let address = free_address()?;
    let mut arguments = valkey.arguments();
    arguments.extend(redis_flags(&address.port().to_string(), &folder.to_string_lossy()).into_iter().map(Into::into));
    arguments.extend(more.iter().map(Into::into));
    answering(Server { running: Running::start("valkey-server", core, folder, valkey.loader(), &arguments)?, address })
}

/// In memory only; one thread for the network, as both have by default, so that neither is a matter of versions.
pub(crate) fn redis_flags(port: &str, folder: &str) -> Vec<String> {
    let memory_only = ["--save", "", "--appendonly", "no", "--dir", folder];
    let flags = ["--bind", "127.0.0.1", "--port", port, "--io-threads", "1"].into_iter().chain(memory_only);
    flags.map(str::to_owned).collect()
}

impl Server {
    /// One request over HTTP that must succeed, outside of any measurement.
    pub(crate) fn ask(&self, method: Method, path: &str, body: Option<&str>) -> Result<Answer> {
        self.asked(method, path, body, None)
    }

    /// The same for whoever this token is of.
    pub(crate) fn ask_as(&self, token: &str, method: Method, path: &str, body: Option<&str>) -> Result<Answer> {
        self.asked(method, path, body, Some(token))
    }

    fn asked(&self, method: Method, path: &str, body: Option<&str>, token: Option<&str>) -> Result<Answer> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let what = format!("{method} {path}");
        let answer = runtime.block_on(request_as(method, &self.address.to_string(), path, body, token))?;
        ensure!(answer.status.is_success(), "{what} was answered with {}: {}", answer.status, answer.body);
        Ok(answer)
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

impl FileIs {
    fn name(self) -> &'static str {
        match self {
            Self::OpenedEachTime => "nginx",
            Self::HeldOpen => "nginx-holding",
        }
    }

    /// What only one of the two has.
    pub(crate) fn settings(self) -> &'static str {
        match self {
            Self::OpenedEachTime => "    sendfile on;\n    tcp_nopush on;\n",
            Self::HeldOpen => {
                "    sendfile off;\n    open_file_cache max=16 inactive=600s;\n    open_file_cache_valid 600s;\n"
            }
        }
    }
}

/// One process, so that one process id has all of its time and nothing is left when it ends. No access log, unbounded
/// use of a connection: what it has to do is read a request and send a file.
pub(crate) fn nginx_settings(address: impl std::fmt::Display, folder: &Path, file_is: FileIs) -> String {
    let (folder, file) = (folder.display(), file_is.settings());
    format!(
        "daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr;
events {{
    worker_connections 4096;
}}
http {{
    access_log off;
    default_type application/json;
    keepalive_requests 1000000000;
    keepalive_timeout 600s;
    tcp_nodelay on;
{file}    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen {address};
        root {folder};
    }}
}}
"
    )
}

fn answering(server: Server) -> Result<Server> {
    when_up(&server.running, "a server to take connections", || {
        Ok(std::net::TcpStream::connect(server.address).map(Some)?)
    })?;
    Ok(server)
}

fn when_up<T>(running: &Running, what: &str, mut look: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let mut died = false;
    let up = wait_for(what, UP_WITHIN, || {
        died = !running.is_running();
        if died { Ok(Some(None)) } else { Ok(look()?.map(Some)) }
    })?;
    match up {
        Some(up) => Ok(up),
        None => bail!("waited for {what}, but it ended and said: {}", running.last_words()),
    }
}

/// Of the node's log lines, the one that says where it listens.
fn listening(line: &str) -> Option<SocketAddr> {
    let line: serde_json::Value = serde_json::from_str(line).ok()?;
    if line["message"] != "listening" {
        return None;
    }
    line["address"].as_str()?.parse().ok()
}

/// An address that nobody has just now, for servers that cannot choose one themselves. Should another program take it
/// before they do, they end and say so.
fn free_address() -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").context("no port of loopback is free")?;
    Ok(listener.local_addr()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_read_from_the_line_that_says_it() {
        let line = r#"{"level":"INFO","message":"listening","address":"127.0.0.1:4711"}"#;
        assert_eq!(listening(line), Some("127.0.0.1:4711".parse().unwrap()));
        assert_eq!(listening(&line.replace("listening", "draining")), None);
        assert_eq!(listening("{\"mess"), None);
    }

    #[test]
    fn ports_that_this_build_does_not_have_are_not_named() {
        let old = Kvnode::that_says("--port");
        assert!(!kvnode_flags(&old, "0").contains(&RESP_PORT.to_owned()));
        let new = Kvnode::that_says("--port --resp-port --resp-cluster-port");
        assert!(
            kvnode_flags(&new, "7").ends_with(&["--resp-port", "7", "--resp-cluster-port", "0"].map(str::to_owned))
        );
    }

    #[test]
    fn a_server_that_ends_at_once_is_told_with_its_last_words() {
        let folder = tempfile::tempdir().unwrap();
        let core = crate::bench::machine::Cores::choose().unwrap().servers;
        let running = Running::start("sh", core, folder.path(), "sh", &["-c", "echo no room; exit 1"]).unwrap();
        let error = when_up::<()>(&running, "a server", || Ok(None)).unwrap_err().to_string();
        assert_eq!(error, "waited for a server, but it ended and said: no room");
    }
}
