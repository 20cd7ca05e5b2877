//! The public listener of a gateway, from opening its port to its last answer.

use std::sync::Arc;

use buffer::Publish;
use gateway::{Beside, Gateway};
use service::tasks::CancellationToken;
use tokio::sync::oneshot;

use crate::process::{Process, listen, reachable};
use crate::settings::Settings;

/// A gateway that takes requests.
#[derive(Debug)]
pub(crate) struct Public<P> {
    gateway: Gateway<P>,
    stopping: CancellationToken,
    served: oneshot::Receiver<usize>,
}

impl<P: Publish> Public<P> {
    /// Opens the port and serves.
    pub(crate) async fn start(
        process: &Process,
        settings: &Settings,
        publisher: Arc<P>,
        beside: Beside,
    ) -> anyhow::Result<Self> {
        let config = gateway::Config {
            http: settings.http.clone(),
            limits: settings.limits.clone(),
            tenancy: settings.tenancy.clone(),
            coalesce: settings.coalesce.clone(),
            record_format: settings.buffer.record_format,
            pushgateway: settings.pushgateway.clone(),
        };
        let listener = listen("http.listen", config.http.listen).await?;
        let url = format!("http://{}", reachable(listener.local_addr()?));
        tracing::info!("push metrics to {url}/metrics");
        let clock = Arc::new(service::clock::now_ms);
        let (router, gateway) = gateway::router(&config, publisher, clock, &process.tasks, beside);
        let stopping = CancellationToken::new();
        let served = process.serve_public(
            listener,
            router,
            config.http.connections(),
            stopping.clone(),
        );
        Ok(Self {
            gateway,
            stopping,
            served,
        })
    }

    /// Stops accepting, finishes the requests that run, and waits for the buffer's answers.
    pub(crate) async fn stop(self, process: &Process) {
        self.stopping.cancel();
        process.step("requests", self.served).await;
        process
            .step("buffer", self.gateway.drain(process.deadline))
            .await;
    }
}
