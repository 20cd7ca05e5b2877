//! The public listeners of a gateway, from opening their ports to their last answers.

use std::sync::Arc;

use buffer::Publish;
use gateway::{Beside, Gateway, Mode, ModeHandle, Statsd};
use service::health::Condition;
use service::http::Door;
use service::tasks::CancellationToken;
use tokio::sync::oneshot;

use crate::console::OfGateway;
use crate::process::{Process, listen, reachable};
use crate::reload::Apply;
use crate::settings::Settings;
use crate::tls::{acceptor, scheme};

/// A gateway that takes requests.
#[derive(Debug)]
pub(crate) struct Public<P> {
    gateway: Gateway<P>,
    statsd: Statsd,
    stopping: CancellationToken,
    served: Vec<oneshot::Receiver<usize>>,
}

impl<P: Publish> Public<P> {
    /// Opens the ports and serves.
    pub(crate) async fn start(
        process: &Process,
        settings: &Settings,
        publisher: Arc<P>,
        mut beside: Beside,
    ) -> anyhow::Result<Self> {
        let config = config(settings);
        let listener = listen("http.listen", config.http.listen).await?;
        let scheme = scheme(config.http.tls.as_ref());
        let url = format!("{scheme}://{}", reachable(listener.local_addr()?));
        tracing::info!("push metrics to {url}/metrics");
        let mut others = Vec::new();
        for (key, task, address) in [
            (
                "otlp.http_listen",
                "OTLP/HTTP listener",
                config.otlp.http_listen,
            ),
            (
                "otlp.grpc_listen",
                "OTLP/gRPC listener",
                config.otlp.grpc_listen,
            ),
        ] {
            let Some(address) = address else {
                continue;
            };
            let listener = listen(key, address).await?;
            let url = format!("{scheme}://{}", reachable(listener.local_addr()?));
            tracing::info!(listener = key, "push OpenTelemetry metrics to {url}");
            others.push((task, listener));
        }
        beside.rejections = Some(process.rejections.record());
        let clock = Arc::new(service::clock::now_ms);
        let (router, gateway) = gateway::router(&config, publisher, clock, &process.tasks, beside);
        let controls = gateway.controls();
        process.reloads.on(move |settings| {
            let apply = controls.prepare(&settings.access, &settings.tenancy)?;
            Ok(Box::new(apply) as Apply)
        });
        let quotas = gateway.quotas();
        process.cardinality.is(quotas.clone());
        process.reloads.on(move |settings| {
            let (quotas, config) = (quotas.clone(), settings.quotas.clone());
            Ok(Box::new(move || quotas.replace(&config)) as Apply)
        });
        follow_mode(process, settings, gateway.mode());
        let partitioning = gateway.partitioning();
        process.heat.is(partitioning.clone());
        process.reloads.on(move |settings| {
            let (handle, config) = (partitioning.clone(), settings.partitioning.clone());
            Ok(Box::new(move || handle.replace(&config)) as Apply)
        });
        process.console.knows(OfGateway(gateway.names()));
        process.console.mount(gateway.explain());
        let tls = acceptor(
            "http",
            &config.http.tls,
            &process.tasks,
            &process.reloads,
            |settings| &settings.http.tls,
        )?;
        let hostname = service::process::hostname();
        let statsd = gateway
            .statsd(&settings.statsd, hostname, &process.tasks)
            .await?;
        for place in statsd.places() {
            tracing::info!("send StatsD and DogStatsD to {place}");
        }
        let stopping = CancellationToken::new();
        others.push(("public listener", listener));
        let served = others
            .into_iter()
            .map(|(task, listener)| {
                let tls = tls.clone();
                process.serve_public(
                    task,
                    Door { listener, tls },
                    router.clone(),
                    config.http.connections(),
                    stopping.clone(),
                )
            })
            .collect();
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
        let served = async {
            for listener in self.served {
                // One that has failed has nothing left to finish.
                drop(listener.await);
            }
        };
        process.step("requests", served).await;
        process
            .step("statsd", self.statsd.stop(process.deadline))
            .await;
        // Before the step's own end, so that it can say what is left.
        let deadline = process.deadline.mul_f64(0.95);
        process.step("buffer", self.gateway.drain(deadline)).await;
    }
}

/// What of the settings is the gateway's.
fn config(settings: &Settings) -> gateway::Config {
    gateway::Config {
        http: settings.http.clone(),
        limits: settings.limits.clone(),
        tenancy: settings.tenancy.clone(),
        access: settings.access.clone(),
        influx: settings.influx.clone(),
        otlp: settings.otlp.clone(),
        coalesce: settings.coalesce.clone(),
        record_format: settings.buffer.record_format,
        pushgateway: settings.pushgateway.clone(),
        rejections: settings.rejections.clone(),
        quotas: settings.quotas.clone(),
        cardinality: settings.cardinality,
        partitioning: settings.partitioning.clone(),
        mode: settings.emergency.mode,
        idempotency: settings.idempotency,
    }
}

/// Changes the mode when settings do. A gateway that drains is not ready; one that only reads still answers, and says why.
fn follow_mode(process: &Process, settings: &Settings, handle: ModeHandle) {
    let condition = process.health.condition("mode", "starting");
    show_mode(&condition, settings.emergency.mode);
    process.reloads.on(move |settings| {
        let (handle, condition) = (handle.clone(), condition.clone());
        let mode = settings.emergency.mode;
        Ok(Box::new(move || {
            if handle.set(mode) != mode {
                show_mode(&condition, mode);
            }
        }) as Apply)
    });
}

fn show_mode(condition: &Condition, mode: Mode) {
    match mode {
        Mode::Drain => condition.not_ready("emergency.mode is drain"),
        Mode::Normal | Mode::ReadOnly => condition.ready(),
    }
    if mode != Mode::Normal {
        tracing::warn!(mode = mode.as_str(), "the gateway is in an emergency mode");
    } else {
        tracing::debug!("the gateway is in its normal mode");
    }
}
