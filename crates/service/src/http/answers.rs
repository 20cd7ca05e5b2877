//! What answers the requests of connections: a router, or what stands before one.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;

use axum::Router;
use axum::body::Body;
use axum::routing::future::RouteFuture;
use http::{Extensions, Request, Response};
use hyper::body::Incoming;
use tower::Service as _;

use super::{Alarm, Peer};
use crate::tls::ClientCertificate;

/// Answers the requests of connections; each has a clone of its own.
pub trait Answers: Clone + Send + 'static {
    /// An answer on its way.
    type Answering: Future<Output = Result<Response<Body>, Infallible>> + Send + 'static;

    /// Answers a request of this client, of which its extensions say nothing yet.
    fn answer(&self, request: Request<Incoming>, client: &Client) -> Self::Answering;
}

/// Who is at the other end of a connection.
#[derive(Debug, Clone, Default)]
pub struct Client {
    /// Where it is.
    pub peer: Option<Peer>,
    /// What it showed, verified.
    pub certificate: Option<Arc<ClientCertificate>>,
    /// What wakes who answers its requests.
    pub alarm: Option<Alarm>,
    /// What handlers remember from one request of the connection to the next, which may be of somebody else where a proxy
    /// sends them; 0 before the first one.
    pub note: Option<Arc<AtomicU32>>,
}

impl Client {
    /// Tells a request's handlers who sent it. What is put there is a good part of a small request's cost.
    pub fn introduce(&self, extensions: &mut Extensions) {
        if let Some(peer) = &self.peer {
            extensions.insert(peer.clone());
        }
        if let Some(certificate) = &self.certificate {
            extensions.insert(Arc::clone(certificate));
        }
    }

    /// Who these extensions say it is.
    #[must_use]
    pub fn of(extensions: &Extensions) -> Self {
        Self {
            peer: extensions.get().cloned(),
            certificate: extensions.get().cloned(),
            ..Self::default()
        }
    }
}

impl From<Option<SocketAddr>> for Client {
    fn from(address: Option<SocketAddr>) -> Self {
        Self {
            peer: address.map(Peer::of),
            ..Self::default()
        }
    }
}

impl Answers for Router {
    type Answering = RouteFuture<Infallible>;

    fn answer(&self, request: Request<Incoming>, client: &Client) -> Self::Answering {
        let mut request = request.map(Body::new);
        client.introduce(request.extensions_mut());
        // A router is always ready, and shared.
        self.clone().call(request)
    }
}
