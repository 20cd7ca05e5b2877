//! The sockets: opened as the settings say, with the stale ones of an earlier process out of the way.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use service::units::Size;
use socket2::{Domain, Protocol, SockAddr, SockRef, Socket, Type};
use tokio::net::{TcpListener, UdpSocket, UnixDatagram, UnixListener};

use crate::config::{Listen, StatsdConfig};

/// A socket that the settings name cannot be had.
#[derive(Debug, thiserror::Error)]
#[error("statsd.{key}: cannot listen on {place}")]
pub struct StatsdError {
    key: &'static str,
    place: String,
    source: io::Error,
}

/// What is asked for without a setting.
const RECEIVE_BUFFER: Size = Size::mib(4);

/// Opens the UDP sockets. None where it is off, or nobody insists on a port that is taken.
pub(super) fn udp(config: &StatsdConfig) -> Result<Vec<UdpSocket>, StatsdError> {
    let Some(address) = config.listen.address() else {
        return Ok(Vec::new());
    };
    let failed = |source| StatsdError {
        key: "listen",
        place: format!("udp {address}"),
        source,
    };
    let sockets = match bind(address, config.sockets) {
        Ok(sockets) => sockets,
        Err(error) if config.listen == Listen::Auto && error.kind() == io::ErrorKind::AddrInUse => {
            tracing::warn!(
                %address,
                "another process receives StatsD on this port, so this one does not; statsd.listen names another"
            );
            return Ok(Vec::new());
        }
        Err(error) => return Err(failed(error)),
    };
    let mut opened = Vec::new();
    for socket in sockets {
        enlarge(&SockRef::from(&socket), config.receive_buffer).map_err(failed)?;
        opened.push(UdpSocket::from_std(socket.into()).map_err(failed)?);
    }
    Ok(opened)
}

fn bind(address: SocketAddr, count: usize) -> io::Result<Vec<Socket>> {
    // A port that is shared can be had although another process has it; so ask for it alone first.
    let first = open(address, false)?;
    if count <= 1 {
        return Ok(vec![first]);
    }
    // With port 0 the kernel has just chosen one.
    let address = first.local_addr()?.as_socket().unwrap_or(address);
    drop(first);
    (0..count).map(|_| open(address, true)).collect()
}

fn open(address: SocketAddr, is_shared: bool) -> io::Result<Socket> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::DGRAM,
        Some(Protocol::UDP),
    )?;
    socket.set_nonblocking(true)?;
    if is_shared {
        socket.set_reuse_port(true)?;
    }
    socket.bind(&SockAddr::from(address))?;
    Ok(socket)
}

/// Asks for room, and says when somebody wanted more than there is.
fn enlarge(socket: &SockRef<'_>, wanted: Option<Size>) -> io::Result<()> {
    let size = wanted.unwrap_or(RECEIVE_BUFFER);
    socket.set_recv_buffer_size(size.bytes())?;
    // The kernel doubles what it is asked for, for its own needs, and reports that.
    let given_bytes = socket.recv_buffer_size()? / 2;
    if wanted.is_some() && given_bytes < size.bytes() {
        tracing::warn!(
            wanted_bytes = size.bytes(),
            given_bytes,
            "the kernel gave less than statsd.receive_buffer; its limit is net.core.rmem_max"
        );
    }
    Ok(())
}

/// Opens the TCP listener.
pub(super) async fn tcp(address: SocketAddr) -> Result<TcpListener, StatsdError> {
    TcpListener::bind(address)
        .await
        .map_err(|source| StatsdError {
            key: "tcp_listen",
            place: format!("tcp {address}"),
            source,
        })
}

/// A path that is removed at the end, if it still is what was made there.
#[derive(Debug)]
pub(super) struct SocketFile {
    path: PathBuf,
    /// Device and inode.
    made: (u64, u64),
}

impl SocketFile {
    fn of(path: &Path) -> io::Result<Self> {
        Ok(Self {
            path: path.to_owned(),
            made: identity(path)?,
        })
    }
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    std::fs::symlink_metadata(path).map(|found| (found.dev(), found.ino()))
}

impl fmt::Display for SocketFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unix {}", self.path.display())
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        // The next process, which finds that this one does not receive any more, has its own there.
        let is_ours = identity(&self.path).is_ok_and(|found| found == self.made);
        if is_ours && let Err(error) = std::fs::remove_file(&self.path) {
            tracing::warn!(%error, path = %self.path.display(), "cannot remove a socket");
        }
    }
}

pub(super) fn unix_datagram(
    path: &Path,
    buffer: Option<Size>,
) -> Result<(UnixDatagram, SocketFile), StatsdError> {
    let open = || {
        make_room(path, |path| {
            std::os::unix::net::UnixDatagram::unbound()?.connect(path)
        })?;
        let socket = UnixDatagram::bind(path)?;
        enlarge(&SockRef::from(&socket), buffer)?;
        let file = SocketFile::of(path)?;
        let_everybody_write(path)?;
        Ok((socket, file))
    };
    open().map_err(|source| StatsdError {
        key: "unix_datagram",
        place: path.display().to_string(),
        source,
    })
}

pub(super) fn unix_stream(path: &Path) -> Result<(UnixListener, SocketFile), StatsdError> {
    let open = || {
        make_room(path, |path| {
            std::os::unix::net::UnixStream::connect(path).map(drop)
        })?;
        let listener = UnixListener::bind(path)?;
        let file = SocketFile::of(path)?;
        let_everybody_write(path)?;
        Ok((listener, file))
    };
    open().map_err(|source| StatsdError {
        key: "unix_stream",
        place: path.display().to_string(),
        source,
    })
}

/// Removes a socket that an ended process has left. One that answers, or another file, stays.
fn make_room(path: &Path, connect: impl Fn(&Path) -> io::Result<()>) -> io::Result<()> {
    let found = match std::fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if !found.file_type().is_socket() {
        let why = "there is a file of another kind";
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, why));
    }
    match connect(path) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            std::fs::remove_file(path)
        }
        _ => Err(io::Error::new(
            io::ErrorKind::AddrInUse,
            "another process listens there",
        )),
    }
}

/// Senders run as other users; to send takes the right to write.
fn let_everybody_write(path: &Path) -> io::Result<()> {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o722))
}
