//! The public listeners of a gateway, from opening their ports to the last answer.

use std::sync::Arc;

use buffer::Publish;
use gateway::{Gateway, Statsd};
use service::tasks::CancellationToken;
use tokio::sync::oneshot;

use crate::process::{Process, listen, reachable};
use crate::settings::Settings;

/// A gateway that takes requests.
#[derive(Debug)]
pub(crate) struct Public<P> {
    gateway: Gateway<P>,
    statsd: Statsd,
    stopping: CancellationToken,
    served: oneshot::Receiver<usize>,
}

impl<P: Publish> Public<P> {
    /// Opens the port and serves; `extra` are routes beside the gateway's own.
    pub(crate) async fn start(
        process: &Process,
        settings: &Settings,
        publisher: Arc<P>,
        extra: axum::Router,
    ) -> anyhow::Result<Self> {
        let config = gateway::Config {
            http: settings.http.clone(),
            limits: settings.limits.clone(),
            tenancy: settings.tenancy.clone(),
            coalesce: settings.coalesce.clone(),
            record_format: settings.buffer.record_format,
        };
        let listener = listen("http.listen", config.http.listen).await?;
        let url = format!("http://{}", reachable(listener.local_addr()?));
        tracing::info!("push metrics to {url}/metrics");
        let clock = Arc::new(service::clock::now_ms);
        let (router, gateway) = gateway::router(&config, publisher, clock, &process.tasks, extra);
        let hostname = service::process::hostname();
        let statsd = gateway
            .statsd(&settings.statsd, hostname, &process.tasks)
            .await?;
        for place in statsd.places() {
            tracing::info!("send StatsD and DogStatsD to {place}");
        }
        let stopping = CancellationToken::new();
        let served = process.serve_public(
            listener,
            router,
            config.http.connections(),
            stopping.clone(),
        );
        Ok(Self {
            gateway,
            statsd,
            stopping,
            served,
        })
    }

    /// Stops accepting, finishes the requests that run, and waits for the buffer's answers.
    pub(crate) async fn stop(self, process: &Process) {
        self.stopping.cancel();
        process.step("requests", self.served).await;
        process
            .step("statsd", self.statsd.stop(process.deadline))
            .await;
        process
            .step("buffer", self.gateway.drain(process.deadline))
            .await;
    }
}
