//! A table in memory that several gateways may share, told late or failing when a test wants it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use buffer::{Change, DrainError, Follow, PublishError, Table};
use bytes::Bytes;
use http::Request;
use model::Clock;
use service::units::Period;
use tokio::sync::mpsc;

use crate::fake::{Answer, FakeBuffer, NOW_MS, Server};
use crate::{Beside, Config, PushGroups, PushgatewayConfig};

type Entry = (Bytes, Option<Bytes>);

#[derive(Debug, Clone, Default)]
pub(crate) struct FakeTable(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    log: Mutex<Vec<Entry>>,
    followers: Mutex<Vec<mpsc::Sender<Entry>>>,
    is_failing: AtomicBool,
    is_silent: AtomicBool,
    delay_ms: AtomicU64,
}

pub(crate) struct FakeFollow {
    past: std::vec::IntoIter<Entry>,
    has_caught_up: bool,
    live: mpsc::Receiver<Entry>,
}

impl FakeTable {
    /// For a gateway: the table and its changes, from its beginning on.
    pub(crate) fn groups(&self) -> PushGroups {
        let (sender, live) = mpsc::channel(10_000);
        let log = self.0.log.lock().unwrap();
        self.0.followers.lock().unwrap().push(sender);
        let follow = FakeFollow {
            past: log.clone().into_iter(),
            has_caught_up: false,
            live,
        };
        PushGroups::new(self.clone(), follow)
    }

    /// Whether puts fail from now on.
    pub(crate) fn fail(&self, is_failing: bool) {
        self.0.is_failing.store(is_failing, Ordering::SeqCst);
    }

    /// Whether followers are told nothing for now; what they miss is lost.
    pub(crate) fn silence(&self, is_silent: bool) {
        self.0.is_silent.store(is_silent, Ordering::SeqCst);
    }

    /// How long puts take from now on.
    pub(crate) fn delay(&self, delay: Duration) {
        let millis = u64::try_from(delay.as_millis()).unwrap();
        self.0.delay_ms.store(millis, Ordering::SeqCst);
    }

    /// What the table holds now.
    pub(crate) fn len(&self) -> usize {
        let mut kept = std::collections::BTreeMap::new();
        for (key, value) in self.0.log.lock().unwrap().iter() {
            kept.insert(key.clone(), value.clone());
        }
        kept.values().flatten().count()
    }
}

impl Table for FakeTable {
    async fn put(&self, key: Bytes, value: Option<Bytes>) -> Result<(), PublishError> {
        let millis = self.0.delay_ms.load(Ordering::SeqCst);
        if millis > 0 {
            tokio::time::sleep(Duration::from_millis(millis)).await;
        }
        if self.0.is_failing.load(Ordering::SeqCst) {
            return Err(PublishError::Unconfirmed("told to fail".to_owned()));
        }
        let followers = {
            let mut log = self.0.log.lock().unwrap();
            log.push((key.clone(), value.clone()));
            self.0.followers.lock().unwrap().clone()
        };
        if !self.0.is_silent.load(Ordering::SeqCst) {
            for follower in followers {
                // A gateway that has ended follows no more.
                follower
                    .send((key.clone(), value.clone()))
                    .await
                    .unwrap_or_default();
            }
        }
        Ok(())
    }
}

impl Follow for FakeFollow {
    async fn next(&mut self) -> Result<Change, DrainError> {
        if let Some(entry) = self.past.next() {
            return Ok(change(entry));
        }
        if !self.has_caught_up {
            self.has_caught_up = true;
            return Ok(Change::CaughtUp);
        }
        match self.live.recv().await {
            Some(entry) => Ok(change(entry)),
            None => std::future::pending().await,
        }
    }
}

fn change((key, value): Entry) -> Change {
    match value {
        Some(value) => Change::Put { key, value },
        None => Change::Deleted { key },
    }
}

/// A gateway of the tests: over a buffer and a table that others may share.
pub(crate) struct Pushed {
    pub server: Server,
    pub buffer: Arc<FakeBuffer>,
}

impl Pushed {
    /// Alone, with the settings' defaults.
    pub(crate) fn start() -> Self {
        Self::with(PushgatewayConfig::default())
    }

    /// With these settings of groups, and everything else as it is.
    pub(crate) fn with(pushgateway: PushgatewayConfig) -> Self {
        Self::over(&FakeTable::default(), Arc::default(), pushgateway)
    }

    /// Over a table and a buffer. Its clock goes as the runtime's does, which tests let jump.
    pub(crate) fn over(
        table: &FakeTable,
        buffer: Arc<FakeBuffer>,
        pushgateway: PushgatewayConfig,
    ) -> Self {
        let mut config = Config {
            pushgateway,
            ..Config::default()
        };
        // So that nothing waits, and times are round.
        config.coalesce.window = Period::millis(0);
        let beside = Beside {
            groups: Some(table.groups()),
            ..Beside::default()
        };
        let server = Server::start_beside(&config, Arc::clone(&buffer), clock(), beside);
        Self { server, buffer }
    }

    pub(crate) async fn ask(&self, method: &str, uri: &str, body: impl Into<Body>) -> Answer {
        let request = Request::builder().method(method).uri(uri);
        self.server.send(request.body(body.into()).unwrap()).await
    }

    /// Asks and insists on this status.
    pub(crate) async fn expect(
        &self,
        status: u16,
        method: &str,
        uri: &str,
        body: &'static str,
    ) -> String {
        let answer = self.ask(method, uri, body).await;
        let text = answer.text().to_owned();
        if answer.status != status {
            eprintln!("{method} {uri}: {} {text}", answer.status);
        }
        assert_eq!(answer.status.as_u16(), status);
        text
    }

    /// Every stored sample since the last call: `name{labels} value @seconds since the test's start`, sorted.
    pub(crate) fn stored(&self) -> Vec<String> {
        let records: Vec<_> = std::mem::take(&mut *self.buffer.published.lock().unwrap());
        let mut lines = Vec::new();
        for (record, is_confirmed) in records {
            assert!(is_confirmed);
            let content_type = record.content_type.as_str().as_bytes();
            let block = codec::record::decode(Some(content_type), &record.value).unwrap();
            for series in block.iter() {
                let labels: Vec<String> = series
                    .labels()
                    .filter(|(name, _)| *name != model::NAME_LABEL)
                    .map(|(name, value)| format!("{name}={value}"))
                    .collect();
                let name = series.name();
                let at = |at_ms: i64| (at_ms - NOW_MS) as f64 / 1000.0;
                for point in series.points() {
                    let value = match point.value.to_bits() {
                        0x7ff0_0000_0000_0002 => "ended".to_owned(),
                        _ if name.ends_with("time_seconds") && point.value > 0.0 => {
                            let since = point.value - NOW_MS as f64 / 1000.0;
                            format!("t{}", (since * 1000.0).round() / 1000.0)
                        }
                        _ => point.value.to_string(),
                    };
                    let labels = labels.join(",");
                    lines.push(format!("{name}{{{labels}}} {value} @{}", at(point.at_ms)));
                }
                for histogram in series.histograms() {
                    lines.push(format!("{name} histogram @{}", at(histogram.at_ms)));
                }
            }
        }
        lines.sort();
        lines
    }

    /// As [`Self::stored`], without what the gateway says itself.
    pub(crate) fn stored_of_others(&self) -> Vec<String> {
        let mut lines = self.stored();
        lines.retain(|line| !line.starts_with("push_") && !line.starts_with("sluice_"));
        lines
    }
}

fn clock() -> Arc<dyn Clock> {
    let started = tokio::time::Instant::now();
    Arc::new(move || NOW_MS + i64::try_from(started.elapsed().as_millis()).unwrap())
}
