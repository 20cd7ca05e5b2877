//! From a body to records, the same for every protocol.
//!
//! A protocol brings a decoder and makes its own answer of the [`Outcome`]; inflating, limits, rules,
//! coalescing and the ledger are here. A success is only answered when the buffer has every record.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use codec::{Decoded, Encoding, inflate};
use model::{Clock, Code, Counts, Limits};
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use crate::body::Received;
use crate::coalesce::{Coalescer, Settled};
use crate::error::Error;
use crate::families::Families;
use crate::metrics;
use crate::permits::{Permit, Permits};
use crate::pool::Pool;
use crate::protocol::Protocol;
use crate::refusals::Refusals;
use crate::validate::{Validated, validate};

/// What happens to good samples beside bad ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Policy {
    StoreTheGood,
    AllOrNothing,
}

/// Who sent samples, whatever the protocol.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Origin {
    /// Whose samples they are; records never mix tenants.
    pub tenant: Option<Arc<str>>,
    /// Which sender pushed them, for people who look for one.
    pub source: Option<Arc<str>>,
}

/// What a request says beside its body.
#[derive(Debug, Clone)]
pub(crate) struct Intake {
    pub encoding: Encoding,
    pub policy: Policy,
    pub origin: Origin,
}

/// Every good sample is durable; these are the others.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub refusals: Refusals,
    /// What the buffer has now.
    pub stored: Counts,
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
    pub families: Families,
    pub is_draining: AtomicBool,
}

/// The work on the processor is done; the buffer has not answered yet.
pub(crate) struct Submitted {
    pub outcome: Outcome,
    settled: Option<oneshot::Receiver<Settled>>,
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
    pub(crate) async fn ingest<P: Protocol>(
        self: &Arc<Self>,
        protocol: &Arc<P>,
        intake: Intake,
        received: Received,
    ) -> Result<Outcome, Error> {
        let deadline = Instant::now() + self.request_timeout;
        let timeout_ms = self.request_timeout.as_millis();
        let is_heavy = is_heavy(intake.encoding, received.bytes.len());
        let (pipeline, protocol) = (Arc::clone(self), Arc::clone(protocol));
        let work = move || {
            let Received { bytes, mut permit } = received;
            let (encoding, bytes) = protocol.unwrap(intake.encoding, bytes)?;
            let body = pipeline.inflated(encoding, bytes, &mut permit)?;
            let body = protocol.prepare(body)?;
            let decoded = protocol.decode(&body, &pipeline.limits)?;
            let submitted = pipeline.submit(P::NAME, &intake.origin, intake.policy, decoded)?;
            Ok::<_, Error>((submitted, permit))
        };
        let (submitted, permit) = timeout_at(deadline, self.pool.run(is_heavy, work))
            .await
            .map_err(|_| Error::Busy { timeout_ms })???;
        let outcome = self.settle(submitted, deadline).await?;
        drop(permit);
        Ok(outcome)
    }

    /// Stores what is good of samples that did not come as a body.
    pub(crate) async fn store(
        &self,
        protocol: &'static str,
        origin: &Origin,
        decoded: Decoded<'_>,
    ) -> Result<Outcome, Error> {
        let deadline = Instant::now() + self.request_timeout;
        let submitted = self.submit(protocol, origin, Policy::StoreTheGood, decoded)?;
        self.settle(submitted, deadline).await
    }

    /// Waits until the buffer has what was submitted.
    pub(crate) async fn settle(
        &self,
        submitted: Submitted,
        deadline: Instant,
    ) -> Result<Outcome, Error> {
        let timeout_ms = self.request_timeout.as_millis();
        if let Some(settled) = submitted.settled {
            timeout_at(deadline, settled)
                .await
                .map_err(|_| Error::Timeout { timeout_ms })?
                // A ticket answers before it goes, so this is a defect; the sender keeps its samples.
                .map_err(|_| Error::Internal)??;
        }
        Ok(submitted.outcome)
    }

    /// Validates and adds to the open records, in the order of the calls. Takes as long as that takes.
    pub(crate) fn submit(
        &self,
        protocol: &'static str,
        origin: &Origin,
        policy: Policy,
        decoded: Decoded<'_>,
    ) -> Result<Submitted, Error> {
        let now_ms = self.clock.now_ms();
        self.families
            .learn(origin.tenant.as_ref(), &decoded.families, &self.limits);
        let known = self.families.known();
        // From here on, texts may be the body's or those that are known.
        let mut decoded = decoded;
        if let Some(known) = &known {
            known.annotate(origin.tenant.as_deref(), &mut decoded.batch);
        }
        let Validated {
            batch,
            refusals,
            ignored,
        } = validate(decoded, &self.limits, now_ms, &self.coalescer);
        for (code, count) in refusals.counts() {
            metrics::rejected(protocol, *code, *count);
        }
        let stored = batch.counts();
        if policy == Policy::AllOrNothing && !refusals.is_empty() {
            metrics::rejected(protocol, Code::BatchRefused, stored.samples());
            return Err(Error::Batch(refusals));
        }
        for (what, count) in &ignored {
            metrics::ignored(protocol, *what, *count);
        }
        let settled = (!batch.samples().is_empty())
            .then(|| self.coalescer.add(&batch, origin, protocol, now_ms));
        Ok(Submitted {
            outcome: Outcome { refusals, stored },
            settled,
        })
    }

    /// A body as it was before its encoding, with the room that it takes.
    pub(crate) fn inflated(
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
pub(crate) fn is_heavy(encoding: Encoding, wire_bytes: usize) -> bool {
    match encoding {
        Encoding::Identity => wire_bytes > 64 << 10,
        Encoding::Gzip
        | Encoding::Deflate
        | Encoding::Zstd
        | Encoding::Snappy
        | Encoding::SnappyFramed => wire_bytes > 16 << 10,
    }
}
