//! From a body to records, the same for every protocol.
//!
//! A protocol brings a decoder and makes its own answer of the [`Outcome`]; inflating, limits, rules,
//! coalescing and the ledger are here. A success is only answered when the buffer has every record.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use codec::json::Decoded;
use codec::{Encoding, inflate};
use model::{Clock, Code, Limits, Refusal};
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use crate::body::Received;
use crate::coalesce::{Coalescer, Settled};
use crate::error::Error;
use crate::metrics;
use crate::permits::{Permit, Permits};
use crate::pool::Pool;
use crate::refusals::Refusals;
use crate::validate::{Validated, validate};

/// How a protocol's bodies are read.
#[derive(Debug)]
pub(crate) struct Protocol {
    /// The label `protocol` in metrics.
    pub name: &'static str,
    /// Decodes an inflated body of at most so many samples.
    pub decode: for<'a> fn(&'a [u8], usize) -> Result<Decoded<'a>, Refusal>,
}

/// What happens to good samples beside bad ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Policy {
    StoreTheGood,
    AllOrNothing,
}

/// What a request says beside its body.
#[derive(Debug, Clone)]
pub(crate) struct Intake {
    pub protocol: &'static Protocol,
    pub encoding: Encoding,
    pub policy: Policy,
    pub tenant: Option<Arc<str>>,
}

/// Every good sample is durable; these are the others.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub refusals: Refusals,
}

/// What is shared by all requests.
pub(crate) struct Pipeline {
    pub limits: Limits,
    pub max_inflated_bytes: usize,
    pub request_timeout: Duration,
    pub clock: Arc<dyn Clock>,
    pub permits: Arc<Permits>,
    pub pool: Pool,
    pub coalescer: Coalescer,
    pub is_draining: AtomicBool,
}

/// The work on the processor is done; the buffer has not answered yet.
struct Submitted {
    outcome: Outcome,
    settled: Option<oneshot::Receiver<Settled>>,
    permit: Permit,
}

impl Pipeline {
    /// Refuses new requests from when draining has begun.
    pub(crate) fn check_open(&self) -> Result<(), Error> {
        if self.is_draining.load(Ordering::Acquire) {
            return Err(Error::ShuttingDown);
        }
        Ok(())
    }

    /// Stores what is good of a body.
    pub(crate) async fn ingest(
        self: &Arc<Self>,
        intake: Intake,
        received: Received,
    ) -> Result<Outcome, Error> {
        let deadline = Instant::now() + self.request_timeout;
        let timeout_ms = self.request_timeout.as_millis();
        let is_heavy = is_heavy(intake.encoding, received.bytes.len());
        let pipeline = Arc::clone(self);
        let work = move || pipeline.submit(&intake, received);
        let submitted = timeout_at(deadline, self.pool.run(is_heavy, work))
            .await
            .map_err(|_| Error::Busy { timeout_ms })???;
        let Submitted {
            outcome,
            settled,
            permit,
        } = submitted;
        if let Some(settled) = settled {
            timeout_at(deadline, settled)
                .await
                .map_err(|_| Error::Timeout { timeout_ms })?
                // A ticket answers before it goes, so this is a defect; the sender keeps its samples.
                .map_err(|_| Error::Internal)??;
        }
        drop(permit);
        Ok(outcome)
    }

    /// Inflates, decodes, validates and adds to the open records. Takes as long as that takes.
    fn submit(&self, intake: &Intake, received: Received) -> Result<Submitted, Error> {
        let Received { bytes, mut permit } = received;
        let body = self.inflated(intake.encoding, bytes, &mut permit)?;
        let decoded = (intake.protocol.decode)(&body, self.limits.max_samples)?;
        let now_ms = self.clock.now_ms();
        let Validated { batch, refusals } =
            validate(decoded, &self.limits, now_ms, &self.coalescer);
        let protocol = intake.protocol.name;
        for (code, count) in refusals.counts() {
            metrics::rejected(protocol, *code, *count);
        }
        let samples = batch.samples().len() as u64;
        let is_refused = match intake.policy {
            Policy::AllOrNothing => !refusals.is_empty(),
            Policy::StoreTheGood => !refusals.is_empty() && refusals.received() == 0,
        };
        if is_refused {
            metrics::rejected(protocol, Code::BatchRefused, samples);
            return Err(Error::Batch(refusals));
        }
        let settled = (samples > 0).then(|| {
            self.coalescer
                .add(&batch, intake.tenant.as_ref(), protocol, now_ms)
        });
        Ok(Submitted {
            outcome: Outcome { refusals },
            settled,
            permit,
        })
    }

    fn inflated(
        &self,
        encoding: Encoding,
        wire: Bytes,
        permit: &mut Permit,
    ) -> Result<Bytes, Error> {
        if encoding == Encoding::Identity {
            // `http.max_body` is its limit, and its bytes are taken already.
            return match compression_of(&wire) {
                Some(found) => Err(Error::Unannounced { found }),
                None => Ok(wire),
            };
        }
        let body = inflate(encoding, &wire, self.max_inflated_bytes)?;
        permit.grow(body.len())?;
        Ok(body)
    }
}

/// No protocol of ours begins like this, so it is what a sender forgot to say.
fn compression_of(body: &[u8]) -> Option<&'static str> {
    match body {
        [0x1f, 0x8b, ..] => Some("gzip"),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Some("zstd"),
        _ => None,
    }
}

/// Whether reading a body would hold up the other requests of a runtime thread: about 500 µs.
fn is_heavy(encoding: Encoding, wire_bytes: usize) -> bool {
    match encoding {
        Encoding::Identity => wire_bytes > 64 << 10,
        Encoding::Gzip | Encoding::Deflate | Encoding::Zstd => wire_bytes > 16 << 10,
    }
}
