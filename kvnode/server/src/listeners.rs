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
    pub(crate) monitoring: Option<TcpListener>,
}

#[derive(Debug, Error)]
pub enum ListenError {
    #[error("The {flag} {port} is in use on {address}; give another port, or end the program that has it.")]
    PortInUse { flag: &'static str, port: u16, address: IpAddr },
    #[error("The {flag} {port} cannot be opened on {address}: {reason}; give another port or another --bind.")]
    Refused { flag: &'static str, port: u16, address: IpAddr, reason: io::Error },
}

pub(crate) fn open(settings: &Settings) -> Result<Listeners, ListenError> {
    let first = open_first("--port", settings.bind, settings.port)?;
    let failed = |reason| refused("--port", settings.bind, settings.port, reason);
    let address = first.local_addr().map_err(failed)?;
    // Only now may others share the port. Had the first socket allowed it from the beginning, a second node on the
    // same port would have started without a word and taken half of the connections.
    socket2::SockRef::from(&first).set_reuse_port(true).map_err(failed)?;
    let mut public = vec![first];
    while public.len() < settings.threads {
        public.push(open_shared(address).map_err(failed)?);
    }
    // A socket takes connections from the moment it listens, so all begin together and late.
    for listener in &public {
        socket2::SockRef::from(listener).listen(BACKLOG).map_err(failed)?;
    }
    let monitoring = match settings.metrics_port {
        None => None,
        Some(port) => {
            let listener = open_first("--metrics-port", settings.bind, port)?;
            let listening = socket2::SockRef::from(&listener).listen(BACKLOG);
            listening.map_err(|reason| refused("--metrics-port", settings.bind, port, reason))?;
            Some(listener)
        }
    };
    Ok(Listeners { public, monitoring })
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
