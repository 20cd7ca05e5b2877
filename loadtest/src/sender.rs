//! Connections that send, in an open or a closed loop, and what they were answered.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::ops::Range;
use std::rc::Rc;
use std::time::Duration;

use hdrhistogram::Histogram;
use tokio::time::{Instant, sleep, sleep_until};

use crate::client::{Answer, Client, Request};
use crate::ledger::Ledger;
use crate::load::Load;
use crate::source::Source;

/// How long a connection waits before it connects again.
const RECONNECT_AFTER: Duration = Duration::from_millis(100);
/// As the answer's name: there was none.
const NO_ANSWER: &str = "none";

/// What was answered in the time that counts.
#[derive(Debug)]
pub(crate) struct Seen {
    pub latency_us: Histogram<u64>,
    pub answers: BTreeMap<String, u64>,
    /// Requests that were acknowledged whole.
    pub requests: u64,
    pub last: Instant,
}

impl Seen {
    pub(crate) fn new() -> anyhow::Result<Self> {
        Ok(Self {
            latency_us: Histogram::new(3)?,
            answers: BTreeMap::new(),
            requests: 0,
            last: Instant::now(),
        })
    }
}

/// What the connections of a run share; all run on one thread.
pub(crate) struct Shared {
    pub load: Load,
    pub request: Request,
    pub source: Source,
    pub start: Instant,
    pub until: Instant,
    pub sent: Cell<u64>,
    pub ledger: RefCell<Ledger>,
    pub seen: RefCell<Seen>,
}

impl Shared {
    fn is_over(&self, due: Instant) -> bool {
        let is_enough = |limit: std::num::NonZeroU64| self.sent.get() >= limit.get();
        due >= self.until || self.load.requests.is_some_and(is_enough)
    }

    fn note(
        &self,
        sent: Instant,
        places: Range<u64>,
        answer: Option<&Answer>,
    ) -> anyhow::Result<()> {
        let mut seen = self.seen.borrow_mut();
        let mut ledger = self.ledger.borrow_mut();
        seen.last = Instant::now();
        let latency = (seen.last - sent).as_micros();
        if !self.load.impatient || answer.is_some_and(is_whole) {
            seen.latency_us.record(u64::try_from(latency)?)?;
        }
        let name = match answer {
            Some(answer) if answer.is_partial => format!("{} partial", answer.status),
            Some(answer) => answer.status.to_string(),
            None => NO_ANSWER.to_owned(),
        };
        *seen.answers.entry(name).or_insert(0) += 1;
        if answer.is_some_and(is_whole) {
            seen.requests += 1;
            ledger.acknowledged.add(places);
        } else {
            ledger.unknown.add(places);
        }
        Ok(())
    }
}

/// Whether everything was taken.
fn is_whole(answer: &Answer) -> bool {
    (200..300).contains(&answer.status) && !answer.is_partial
}

/// One connection's loop. `client` is its first connection.
pub(crate) async fn send(shared: Rc<Shared>, number: u64, client: Client) -> anyhow::Result<()> {
    let load = &shared.load;
    let connections = load.connections.get() as f64;
    // Each connection sends its share of the rate, and they take turns.
    let period = load
        .rate
        .map(|rate| Duration::from_secs_f64(connections / rate));
    let offset = period.map_or(Duration::ZERO, |period| {
        period.mul_f64(number as f64 / connections)
    });
    let mut due = shared.start + offset;
    let mut client = Some(client);
    for turn in 0.. {
        if let Some(period) = period {
            if turn > 0 {
                due += period;
            }
            sleep_until(due).await;
        } else {
            due = Instant::now();
        }
        if shared.is_over(due) {
            break;
        }
        shared.sent.set(shared.sent.get() + 1);
        let mut open = match client.take().filter(Client::is_open) {
            Some(open) => open,
            None => match Client::connect(&shared.request).await {
                Ok(open) => open,
                Err(_) => {
                    shared.note(due, 0..0, None)?;
                    sleep(RECONNECT_AFTER).await;
                    continue;
                }
            },
        };
        let places = shared.source.fill(number, turn, open.body()).await?;
        let answer = open.post().await.ok();
        shared.note(due, places, answer.as_ref())?;
        match answer {
            Some(answer) if is_whole(&answer) || load.impatient => {}
            Some(answer) => sleep(answer.retry_after.unwrap_or_default()).await,
            None => sleep(RECONNECT_AFTER).await,
        }
        if !load.new_connections {
            client = Some(open);
        }
    }
    Ok(())
}
