//! A TCP proxy between two real parts, which fails in the ways that networks do.
//!
//! It runs on a thread of its own, so a test may block while traffic passes.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
    time::{Duration, sleep},
};

#[cfg(test)]
mod tests;

/// How the network behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Network {
    /// Everything passes.
    Good,
    /// Connections stay open, and no byte moves: a pulled cable.
    Stalled,
    /// At most so many bytes per second, per connection and direction.
    Slow(u32),
    /// Open connections end (FIN), and new ones end at once: a restarting peer.
    Cut,
    /// Open connections are reset (RST), and new ones are reset at once: a crashed peer.
    Reset,
    /// What the target sends arrives, what is sent to it is held back: a one-way fault.
    DeafTarget,
}

/// A listening proxy; dropping it closes its port and connections.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    network: watch::Sender<Network>,
    forwarded: Arc<AtomicU64>,
}

impl Proxy {
    /// Starts one before `target`, which need not listen yet.
    ///
    /// # Panics
    ///
    /// When the operating system gives no port or thread.
    #[must_use]
    pub fn start(target: impl Into<SocketAddr>) -> Self {
        let target = target.into();
        let port = crate::free_port();
        let (network, changes) = watch::channel(Network::Good);
        let forwarded = Arc::new(AtomicU64::new(0));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap_or_else(|error| panic!("proxy: {error}"));
        let listener = runtime
            .block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, port)))
            .unwrap_or_else(|error| panic!("proxy: port {port}: {error}"));
        let counter = Arc::clone(&forwarded);
        std::thread::spawn(move || runtime.block_on(accept(listener, target, changes, counter)));
        Self {
            address: (Ipv4Addr::LOCALHOST, port).into(),
            network,
            forwarded,
        }
    }

    /// Where clients connect.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The port of [`Proxy::address`].
    #[must_use]
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Changes the network for open and new connections.
    pub fn set(&self, network: Network) {
        self.network.send_replace(network);
    }

    /// Bytes that have passed so far, both directions together.
    #[must_use]
    pub fn forwarded_bytes(&self) -> u64 {
        self.forwarded.load(Ordering::Relaxed)
    }
}

async fn accept(
    listener: TcpListener,
    target: SocketAddr,
    mut network: watch::Receiver<Network>,
    forwarded: Arc<AtomicU64>,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((client, _)) = accepted {
                    connections.spawn(connection(client, target, network.clone(), Arc::clone(&forwarded)));
                }
            }
            Some(_) = connections.join_next() => {}
            gone = closed(&mut network) => return gone,
        }
    }
}

/// Ends when the [`Proxy`] is dropped.
async fn closed(network: &mut watch::Receiver<Network>) {
    while network.changed().await.is_ok() {}
}

async fn connection(
    mut client: TcpStream,
    target: SocketAddr,
    network: watch::Receiver<Network>,
    forwarded: Arc<AtomicU64>,
) {
    let mut broken = network.clone();
    let opened = tokio::select! {
        biased;
        Ok(state) = broken.wait_for(is_broken) => Err(*state),
        server = TcpStream::connect(target) => Ok(server),
    };
    let how = match opened {
        Ok(Ok(mut server)) => {
            let how = {
                let (client_read, client_write) = client.split();
                let (server_read, server_write) = server.split();
                let up = pump(client_read, server_write, network.clone(), true, &forwarded);
                let down = pump(server_read, client_write, network, false, &forwarded);
                tokio::select! {
                    // A half that is closed leaves the other open, as TCP does.
                    _ = async { tokio::join!(up, down) } => Network::Cut,
                    state = broken.wait_for(is_broken) => state.map_or(Network::Cut, |state| *state),
                }
            };
            close(&server, how);
            how
        }
        // As if the client had found nobody behind the port.
        Ok(Err(_)) => Network::Reset,
        Err(how) => how,
    };
    close(&client, how);
}

fn is_broken(network: &Network) -> bool {
    matches!(network, Network::Cut | Network::Reset)
}

fn close(stream: &TcpStream, how: Network) {
    if how == Network::Reset {
        // Closing without time to send what is left is a reset. The peer may be gone already.
        stream.set_zero_linger().unwrap_or_default();
    }
}

fn moves(network: Network, towards_target: bool) -> bool {
    match network {
        Network::Stalled => false,
        Network::DeafTarget => !towards_target,
        Network::Good | Network::Slow(_) | Network::Cut | Network::Reset => true,
    }
}

/// Waits until bytes move in this direction; `None` when the proxy is gone.
async fn moving(network: &mut watch::Receiver<Network>, towards_target: bool) -> Option<Network> {
    let state = network
        .wait_for(|state| moves(*state, towards_target))
        .await;
    state.ok().map(|state| *state)
}

async fn pump(
    mut from: tokio::net::tcp::ReadHalf<'_>,
    mut to: tokio::net::tcp::WriteHalf<'_>,
    mut network: watch::Receiver<Network>,
    towards_target: bool,
    forwarded: &AtomicU64,
) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        // Not reading fills the sender's window, and then its buffers, as a stalled path does.
        let Some(state) = moving(&mut network, towards_target).await else {
            return;
        };
        let room = match state {
            Network::Slow(bytes_per_second) => bytes_per_second.div_ceil(20) as usize,
            _ => buffer.len(),
        };
        let room = room.min(buffer.len());
        let Some(space) = buffer.get_mut(..room) else {
            return;
        };
        let Ok(count) = from.read(space).await else {
            return;
        };
        // The network may have changed while nothing arrived.
        if moving(&mut network, towards_target).await.is_none() {
            return;
        }
        if count == 0 {
            to.shutdown().await.unwrap_or_default();
            return;
        }
        let data = space.get(..count).unwrap_or_default();
        // Before the write: whoever has received a byte finds it counted.
        forwarded.fetch_add(count as u64, Ordering::Relaxed);
        if to.write_all(data).await.is_err() {
            return;
        }
        if let Network::Slow(_) = state {
            sleep(Duration::from_millis(50)).await;
        }
    }
}
