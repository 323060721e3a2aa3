//! The sockets. Each serving thread has its own on the same port, and the kernel spreads new connections over them, so
//! that no thread hands a connection to another.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};

use socket2::{Domain, Protocol, Socket, Type};
use thiserror::Error;

use crate::settings::Settings;

/// Connections the kernel holds for a thread that is busy; the kernel lowers it to its own limit.
const BACKLOG: i32 = 4096;

#[derive(Debug)]
pub(crate) struct Listeners {
    /// One for each serving thread, all on one port.
    pub(crate) public: Vec<TcpListener>,
    /// The same for the Redis protocol, if it is spoken.
    pub(crate) resp: Vec<TcpListener>,
    pub(crate) resp_cluster: Vec<TcpListener>,
    pub(crate) monitoring: Option<TcpListener>,
    /// For other nodes, if there are to be any.
    pub(crate) peers: Option<TcpListener>,
}

#[derive(Debug, Error)]
pub enum ListenError {
    #[error("The {flag} {port} is in use on {address}; give another port, or end the program that has it.")]
    PortInUse { flag: &'static str, port: u16, address: IpAddr },
    #[error("The {flag} {port} cannot be opened on {address}: {reason}; give another port or another --bind.")]
    Refused { flag: &'static str, port: u16, address: IpAddr, reason: io::Error },
}

/// A socket takes connections from the moment it listens, so all begin together and late.
pub(crate) fn open(settings: &Settings) -> Result<Listeners, ListenError> {
    let open = |flag, port: Option<u16>, sockets| match port {
        Some(port) => Bound::open(flag, settings.bind, port, sockets),
        None => Ok(Bound { flag, address: settings.bind, port: 0, sockets: Vec::new() }),
    };
    let public = open("--port", Some(settings.port), settings.threads)?;
    let resp = open("--resp-port", settings.resp_port, settings.threads)?;
    let resp_cluster = open("--resp-cluster-port", settings.resp_cluster_port, settings.threads)?;
    let monitoring = open("--metrics-port", settings.metrics_port, 1)?;
    let peers = open("--peer-port", settings.cluster.as_ref().map(|cluster| cluster.peer_port), 1)?;
    Ok(Listeners {
        public: public.listen()?,
        resp: resp.listen()?,
        resp_cluster: resp_cluster.listen()?,
        monitoring: monitoring.listen()?.pop(),
        peers: peers.listen()?.pop(),
    })
}

/// The sockets of one port.
struct Bound {
    flag: &'static str,
    address: IpAddr,
    port: u16,
    sockets: Vec<TcpListener>,
}

impl Bound {
    fn open(flag: &'static str, address: IpAddr, port: u16, count: usize) -> Result<Self, ListenError> {
        let first = open_first(flag, address, port)?;
        let mut bound = Self { flag, address, port, sockets: vec![first] };
        let shared = bound.share(count);
        shared.map_err(|reason| refused(flag, address, port, reason))?;
        Ok(bound)
    }

    fn share(&mut self, count: usize) -> io::Result<()> {
        let address = self.sockets[0].local_addr()?;
        // Only now may others share the port. Had the first socket allowed it from the beginning, a second node on the
        // same port would have started without a word and taken half of the connections.
        socket2::SockRef::from(&self.sockets[0]).set_reuse_port(true)?;
        while self.sockets.len() < count {
            self.sockets.push(open_shared(address)?);
        }
        Ok(())
    }

    fn listen(self) -> Result<Vec<TcpListener>, ListenError> {
        for socket in &self.sockets {
            let listening = socket2::SockRef::from(socket).listen(BACKLOG);
            listening.map_err(|reason| refused(self.flag, self.address, self.port, reason))?;
        }
        Ok(self.sockets)
    }
}

/// Fails when anyone else has the port.
fn open_first(flag: &'static str, address: IpAddr, port: u16) -> Result<TcpListener, ListenError> {
    let open = || {
        let socket = socket(address)?;
        socket.bind(&SocketAddr::new(address, port).into())?;
        Ok(socket.into())
    };
    open().map_err(|reason| refused(flag, address, port, reason))
}

fn open_shared(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = socket(address.ip())?;
    socket.set_reuse_port(true)?;
    socket.bind(&address.into())?;
    Ok(socket.into())
}

/// A port whose connections of a moment ago still linger is free for a restart.
fn socket(address: IpAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(SocketAddr::new(address, 0)), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

fn refused(flag: &'static str, address: IpAddr, port: u16, reason: io::Error) -> ListenError {
    if reason.kind() == io::ErrorKind::AddrInUse {
        return ListenError::PortInUse { flag, port, address };
    }
    ListenError::Refused { flag, port, address, reason }
}
