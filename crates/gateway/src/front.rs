//! What stands before the router: most pushes go to their handler at once.
//!
//! Those are the ones to a path without parameters.
//! Everything around them is what the router has around its routes, from the same places: [`layers`](crate::layers), then
//! [`access`](crate::access). A router that finds the route, tells the request about it, and boxes what it has around it for each
//! request would cost as much as all that is done with a single sample. What is not known here, the router answers.

use std::collections::HashMap;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::future::RouteFuture;
use foldhash::quality::RandomState;
use http::Method;
use http::request::Parts;
use pin_project_lite::pin_project;
use service::http::{Answers, Client, Incoming};
use tower::Service;

use crate::access::ask;
use crate::body::Wire;
use crate::layers::{Observe, Observing, Route};
use crate::protocol::{Protocol, directly};
use crate::router::{App, Pushed};

/// An answer on its way.
pub(crate) type Answered = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

type Directly = fn(Arc<App>, Parts, Wire, Client) -> Answered;

/// The gateway as its listeners have it. Clones share it.
#[derive(Clone)]
pub struct Front(Arc<Shared>);

struct Shared {
    app: Arc<App>,
    observe: Observe,
    direct: Direct,
    routes: Router,
}

/// The handlers by their paths.
#[derive(Default)]
pub(crate) struct Direct(HashMap<&'static str, Directly, RandomState>);

impl Pushed for Direct {
    fn to<P: Protocol>(mut self, path: &'static str) -> Self {
        self.0.insert(path, directly::<P>);
        self
    }
}

impl Direct {
    fn find<B>(&self, request: &Request<B>) -> Option<(&'static str, Directly)> {
        if request.method() != Method::POST {
            return None;
        }
        let (path, directly) = self.0.get_key_value(request.uri().path())?;
        Some((path, *directly))
    }
}

impl Front {
    /// Before these routes, of which it has some itself.
    pub(crate) fn new(app: Arc<App>, observe: Observe, direct: Direct, routes: Router) -> Self {
        Self(Arc::new(Shared {
            app,
            observe,
            direct,
            routes,
        }))
    }

    /// Every route, for who wants to know what there is.
    pub fn routes(&self) -> &Router {
        &self.0.routes
    }

    /// Answers a request; without a client its extensions say who sends it.
    fn begin(&self, mut request: Request<Wire>, client: Option<&Client>) -> Answering {
        let Shared {
            app,
            observe,
            direct,
            routes,
        } = &*self.0;
        let Some((path, directly)) = direct.find(&request) else {
            if let Some(client) = client {
                client.introduce(request.extensions_mut());
            }
            let request = request.map(Wire::into_body);
            let answer = Box::pin(routes.clone().call(request));
            return Answering::Routed { answer };
        };
        let asked = observe.asked(Some(Route::Direct(path)), &request);
        let app = Arc::clone(app);
        if app.access.read().is_open() {
            let (parts, body) = request.into_parts();
            let client = client.cloned();
            let client = client.unwrap_or_else(|| Client::of(&parts.extensions));
            let answer = directly(app, parts, body, client);
            return Answering::Direct {
                answer: Observing::new(answer, asked),
            };
        }
        if let Some(client) = client {
            client.introduce(request.extensions_mut());
        }
        request.extensions_mut().insert(Route::Direct(path));
        let own = client.map(|client| (client.alarm.clone(), client.note.clone()));
        let (alarm, note) = own.unwrap_or_default();
        let answer: Answered = Box::pin(async move {
            match ask(&app, path, request.map(Wire::into_body)).await {
                Ok(request) => {
                    let (parts, body) = request.map(Wire::Other).into_parts();
                    let client = Client {
                        alarm,
                        note,
                        ..Client::of(&parts.extensions)
                    };
                    directly(app, parts, body, client).await
                }
                Err(refusal) => Ok(refusal),
            }
        });
        Answering::Direct {
            answer: Observing::new(answer, asked),
        }
    }
}

impl std::fmt::Debug for Front {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Front").finish_non_exhaustive()
    }
}

impl Answers for Front {
    type Answering = Answering;

    fn answer(&self, request: http::Request<Incoming>, client: &Client) -> Answering {
        self.begin(request.map(Wire::Connection), Some(client))
    }
}

/// For who has no connection.
impl Service<Request> for Front {
    type Response = Response;
    type Error = Infallible;
    type Future = Answering;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // As a router is.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Answering {
        self.begin(request.map(Wire::Other), None)
    }
}

pin_project! {
    /// The answer to a request, on its way.
    #[project = Way]
    pub enum Answering {
        /// From its handler.
        #[doc(hidden)]
        Direct {
            #[pin]
            answer: Observing<Answered>,
        },
        /// From the router. Boxed, so that the other kind is small.
        #[doc(hidden)]
        Routed {
            answer: Pin<Box<RouteFuture<Infallible>>>,
        },
    }
}

impl Future for Answering {
    type Output = Result<Response, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project() {
            Way::Direct { answer } => answer.poll(cx),
            Way::Routed { answer } => answer.as_mut().poll(cx),
        }
    }
}

#[cfg(test)]
mod tests;
