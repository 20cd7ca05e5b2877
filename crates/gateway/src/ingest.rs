//! From a body to records, the same for every protocol.
//!
//! A protocol brings a decoder and makes its own answer of the [`Outcome`]; inflating, limits, rules,
//! coalescing and the ledger are here. A success is only answered when the buffer has every record.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use buffer::{Durability, Record};
use bytes::Bytes;
use codec::catalogue::{Catalogue, Trail};
use codec::{Decoded, Encoding, InflateError, inflate};
use futures::future::BoxFuture;
use model::{Batch, Clock, Code, Counts, Limits, Refusal};
use service::http::Alarm;
use tokio::time::Instant;

use crate::body::Received;
use crate::coalesce::{Coalescer, Knowledge, Settled, Settling};
use crate::error::Error;
use crate::families::Families;
use crate::known_series::{KnownSeries, Lessons};
use crate::metrics;
use crate::mode::{Mode, ModeHandle};
use crate::permits::{Permit, Permits};
use crate::pool::Pool;
use crate::protocol::Protocol;
use crate::pushgateway::OWN_PROTOCOL;
use crate::quotas::Quotas;
use crate::receipts::{Receipts, Sent};
use crate::refusals::Refusals;
use crate::repeats::First;
use crate::validate::{Standards, Validated, names, validate};
use crate::within::{Deadline, Late, within};

/// What a compressed body may become and still be read where it came in.
const SMALL_BYTES: usize = 256 << 10;

/// Beyond so many bytes on the wire, a compressed body is not tried where it came in.
const SMALL_WIRE_BYTES: usize = 64 << 10;

/// What the records of one body may have, where each sample is one with all its labels.
const MAX_RECORDS_BYTES: usize = 512 << 20;

/// What a record takes that is open, beside its samples: its builder, its place in tables, its claim.
const OPEN_RECORD_BYTES: usize = 1 << 10;

/// Fewer names than this are not worth counting.
const MANY_NAMES: usize = 1000;

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
    /// What its connection remembers of the request before.
    pub note: Option<Arc<AtomicU32>>,
}

/// Every good sample is durable; these are the others.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub refusals: Refusals,
    /// What the buffer has now.
    pub stored: Counts,
    /// Where the weakest kept of it is; none when nothing had to be stored.
    pub durability: Option<Durability>,
}

/// The partition of a record.
pub(crate) type Placement = Box<dyn Fn(&Record) -> Option<usize> + Send + Sync>;

/// What is shared by all requests.
pub(crate) struct Pipeline {
    pub limits: Limits,
    pub max_inflated_bytes: usize,
    pub request_timeout: Duration,
    pub clock: Arc<dyn Clock>,
    pub permits: Arc<Permits>,
    pub pool: Pool,
    pub coalescer: Coalescer,
    /// Which partition a record goes to, where there are several.
    pub placement: Placement,
    pub families: Families,
    pub catalogue: KnownSeries,
    pub receipts: Receipts,
    pub quotas: Arc<Quotas>,
    pub is_draining: AtomicBool,
    pub mode: ModeHandle,
}

/// The work on a body, and the room that is taken for it.
pub(crate) enum Work<T> {
    Done((T, Permit)),
    /// A thread of its own is at it.
    Elsewhere(BoxFuture<'static, Result<(T, Permit), Error>>),
}

/// A body that was read, and what came of it.
pub(crate) type Ingested<P> = (P, Result<Submitted, Error>);

/// The work on the processor is done; the buffer has not answered yet.
pub(crate) struct Submitted {
    pub outcome: Outcome,
    settled: Option<Settling>,
}

impl Submitted {
    /// What is to be waited for, once.
    pub(crate) fn settling(&mut self) -> Option<Settling> {
        self.settled.take()
    }

    /// With what was waited for.
    pub(crate) fn settled(
        mut self,
        pipeline: &Pipeline,
        waited: Result<Settled, Late>,
    ) -> Result<Self, Error> {
        let timeout_ms = pipeline.request_timeout.as_millis();
        let settled = waited.map_err(|Late| Error::Timeout { timeout_ms })?;
        self.outcome.durability = Some(settled?);
        Ok(self)
    }
}

impl Pipeline {
    /// Refuses new requests from when draining has begun, and while nothing is to be taken.
    pub(crate) fn check_open(&self) -> Result<(), Error> {
        if self.is_draining.load(Ordering::Acquire) {
            return Err(Error::ShuttingDown);
        }
        self.check_mode()
    }

    fn check_mode(&self) -> Result<(), Error> {
        if self.mode.is(Mode::ReadOnly) {
            return Err(Error::ReadOnly);
        }
        Ok(())
    }

    /// Room for a request of this sender: its tenant; where there is none, its credential; without one, its source.
    /// Who has a credential may call its sources what it likes, and has one share.
    pub(crate) fn permit(&self, origin: &Origin, credential: Option<&str>) -> Permit {
        match (&origin.tenant, credential) {
            (Some(tenant), _) => self.permits.of(("tenant", tenant)),
            (None, Some(name)) => self.permits.of(("credential", name)),
            (None, None) => self.permits.of(("source", &origin.source)),
        }
    }

    /// By when a request that begins now is answered.
    pub(crate) fn deadline<'a>(&self, alarm: Option<&'a Alarm>) -> Deadline<'a> {
        Deadline::new(Instant::now() + self.request_timeout, alarm)
    }

    /// Takes what is good of a body; of the first of possibly several requests, the others are told what comes of it.
    ///
    /// No future of its own, and the protocol comes back from wherever the work was done: most bodies are small, and what a
    /// future keeps for those that are not is moved about for each of them.
    pub(crate) fn ingest<P: Protocol>(
        self: &Arc<Self>,
        protocol: P,
        intake: Intake,
        received: Received,
        first: Option<First>,
        deadline: Instant,
    ) -> Result<Work<Ingested<P>>, Error> {
        let Received { bytes, permit } = received;
        let (encoding, bytes) = protocol.unwrap(intake.encoding, bytes)?;
        let received = Received { bytes, permit };
        let work = move |pipeline: &Self, body, permit: &mut Permit| {
            let submitted = pipeline.read_body(&protocol, &intake, body, first, permit);
            Ok((protocol, submitted))
        };
        self.begin(encoding, received, deadline, work)
    }

    fn read_body<P: Protocol>(
        &self,
        protocol: &P,
        intake: &Intake,
        body: Bytes,
        first: Option<First>,
        permit: &mut Permit,
    ) -> Result<Submitted, Error> {
        let body = protocol.prepare(body)?;
        let catalogue = self.catalogue.read();
        let trail = Trail::of_sender(&catalogue, intake.note.as_deref());
        let decoded = protocol.decode(&body, &self.limits, trail)?;
        let decoded_bytes = decoded.batch.size_bytes();
        // What small bodies become is gone before another one is read here.
        let weighed = if decoded_bytes > SMALL_BYTES {
            decoded_bytes
        } else {
            0
        };
        permit.weigh(weighed);
        let sent = Sent {
            protocol: P::NAME,
            origin: &intake.origin,
            parts: &|wanted| protocol.parts(&body, wanted),
            part_type: P::PART_TYPE,
        };
        let (mut submitted, lessons) =
            self.submit_with(sent, intake.policy, decoded, &catalogue)?;
        if let Some(first) = first
            && let Some(settled) = submitted.settled.take()
        {
            let response = protocol.stored(&submitted.outcome);
            submitted.settled = Some(first.follow(settled, response));
        }
        drop(catalogue);
        self.catalogue.learn(&lessons);
        // Each metric name is a record that is open until the buffer answers.
        permit.weigh(names_of(&lessons.batch).saturating_mul(OPEN_RECORD_BYTES));
        permit.give_back(weighed);
        Ok(submitted)
    }

    /// Runs `work` on a body as it was before its encoding: here what is small, else on a thread of its own.
    pub(crate) async fn work<T: Send + 'static>(
        self: &Arc<Self>,
        encoding: Encoding,
        received: Received,
        deadline: Instant,
        work: impl FnOnce(&Self, Bytes, &mut Permit) -> Result<T, Error> + Send + 'static,
    ) -> Result<(T, Permit), Error> {
        match self.begin(encoding, received, deadline, work)? {
            Work::Done(done) => Ok(done),
            Work::Elsewhere(done) => done.await,
        }
    }

    /// Like [`Self::work`], of which mostly nothing is left to wait for.
    fn begin<T: Send + 'static>(
        self: &Arc<Self>,
        encoding: Encoding,
        received: Received,
        deadline: Instant,
        work: impl FnOnce(&Self, Bytes, &mut Permit) -> Result<T, Error> + Send + 'static,
    ) -> Result<Work<T>, Error> {
        let Received { bytes, mut permit } = received;
        let Some(body) = small(encoding, &bytes, self.max_inflated_bytes)? else {
            let received = Received { bytes, permit };
            let done = Arc::clone(self).work_hard(encoding, received, deadline, work);
            return Ok(Work::Elsewhere(Box::pin(done)));
        };
        if encoding != Encoding::Identity {
            permit.resize(bytes.len() + body.len())?;
        }
        Ok(Work::Done((work(self, body, &mut permit)?, permit)))
    }

    /// Like [`Self::work`], for what would hold up others.
    async fn work_hard<T: Send + 'static>(
        self: Arc<Self>,
        encoding: Encoding,
        received: Received,
        deadline: Instant,
        work: impl FnOnce(&Self, Bytes, &mut Permit) -> Result<T, Error> + Send + 'static,
    ) -> Result<(T, Permit), Error> {
        let timeout_ms = self.request_timeout.as_millis();
        let Received { bytes, mut permit } = received;
        let pipeline = Arc::clone(&self);
        let work = move || {
            let body = pipeline.inflated(encoding, bytes, &mut permit)?;
            Ok((work(&pipeline, body, &mut permit)?, permit))
        };
        within(deadline, self.pool.run(work))
            .await
            .map_err(|_| Error::Busy { timeout_ms })??
    }

    /// Stores what is good of samples that did not come as a body.
    pub(crate) async fn store(
        &self,
        protocol: &'static str,
        origin: &Origin,
        decoded: Decoded<'_>,
    ) -> Result<Outcome, Error> {
        self.check_mode()?;
        let deadline = Instant::now() + self.request_timeout;
        let submitted = self.submit(protocol, origin, Policy::StoreTheGood, decoded)?;
        self.settle(submitted, deadline).await
    }

    /// Waits until the buffer has what was submitted.
    pub(crate) async fn settle(
        &self,
        mut submitted: Submitted,
        deadline: impl Into<Deadline<'_>>,
    ) -> Result<Outcome, Error> {
        if let Some(settling) = submitted.settling() {
            let waited = within(deadline, settling).await;
            submitted = submitted.settled(self, waited)?;
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
        let sent = Sent {
            protocol,
            origin,
            // It did not come as a body.
            parts: &|_| Vec::new(),
            part_type: "",
        };
        let nothing = self.catalogue.nothing();
        let (submitted, _) = self.submit_with(sent, policy, decoded, nothing)?;
        Ok(submitted)
    }

    /// Like [`Self::submit`], where series may be those of a catalogue. Answers also what it may learn.
    fn submit_with<'a>(
        &self,
        sent: Sent<'_>,
        policy: Policy,
        decoded: Decoded<'a>,
        catalogue: &Catalogue,
    ) -> Result<(Submitted, Lessons<'a>), Error> {
        let Sent {
            protocol, origin, ..
        } = sent;
        let now_ms = self.clock.now_ms();
        self.families
            .learn(origin.tenant.as_ref(), &decoded.families, &self.limits);
        let families = self.families.known();
        let knowledge = Knowledge {
            catalogue,
            families: families.as_deref(),
        };
        let Validated {
            batch,
            mut refusals,
            ignored,
            unknown,
        } = validate(decoded, self.standards(protocol, origin, now_ms), catalogue);
        self.receipts.samples(sent, &refusals);
        refusals.forget_unlisted();
        let stored = batch.counts();
        if refusals.is_passing() {
            return Err(Error::Batch(refusals));
        }
        if policy == Policy::AllOrNothing && !refusals.is_empty() {
            let why = "others of the request were refused, which wanted all or nothing";
            let why = Refusal::new(Code::BatchRefused, why);
            let names = || names(&batch, catalogue);
            self.receipts
                .whole_batch(sent, &why, stored.samples(), names);
            return Err(Error::Batch(refusals));
        }
        if let Err(why) = self.check_records(&batch, knowledge, origin) {
            let names = || names(&batch, catalogue);
            self.receipts
                .whole_batch(sent, &why, stored.samples(), names);
            return Err(Error::Body(why));
        }
        for (what, count) in &ignored {
            metrics::ignored(protocol, *what, *count);
        }
        self.quotas.spend(origin, stored.samples());
        self.receipts.taken(origin, stored.samples());
        let settled = (!batch.samples().is_empty()).then(|| {
            self.coalescer
                .add(&batch, knowledge, origin, protocol, now_ms)
        });
        let submitted = Submitted {
            outcome: Outcome {
                refusals,
                stored,
                durability: None,
            },
            settled,
        };
        Ok((submitted, Lessons { batch, unknown }))
    }

    /// Refuses a body whose samples become far more in records than they are.
    pub(crate) fn check_records(
        &self,
        batch: &Batch<'_>,
        knowledge: Knowledge<'_>,
        origin: &Origin,
    ) -> Result<(), Refusal> {
        let records_bytes = self.coalescer.records_bytes(batch, knowledge, origin);
        if records_bytes <= MAX_RECORDS_BYTES {
            return Ok(());
        }
        let message = format!(
            "the samples become about {records_bytes} bytes of JSON records, the limit is {MAX_RECORDS_BYTES}; \
             send several smaller bodies"
        );
        Err(Refusal::new(Code::TooManySamples, message))
    }

    /// What samples are held to. Those that the gateway makes itself have no quota.
    fn standards<'s>(&'s self, protocol: &str, origin: &'s Origin, now_ms: i64) -> Standards<'s> {
        let is_own = protocol == OWN_PROTOCOL;
        Standards {
            limits: &self.limits,
            now_ms,
            coalescer: &self.coalescer,
            quotas: (!is_own).then_some((&*self.quotas, origin)),
        }
    }

    /// A body as it was before its encoding, with the room that it takes.
    fn inflated(
        &self,
        encoding: Encoding,
        wire: Bytes,
        permit: &mut Permit,
    ) -> Result<Bytes, Error> {
        if encoding == Encoding::Identity {
            return announced(wire);
        }
        let body = inflate(encoding, &wire, self.max_inflated_bytes)?;
        permit.resize(wire.len() + body.len())?;
        Ok(body)
    }
}

/// About how many metric names the series of a batch have, where they are many: those that follow another.
fn names_of(batch: &Batch<'_>) -> usize {
    let series = batch.all_series();
    if series.len() < MANY_NAMES {
        return 0;
    }
    series.chunk_by(|a, b| a.name == b.name).count()
}

/// A body without an encoding: `http.max_body` is its limit, and its bytes are taken already.
fn announced(wire: Bytes) -> Result<Bytes, Error> {
    match compression_of(&wire) {
        Some(found) => Err(Error::Unannounced { found }),
        None => Ok(wire),
    }
}

/// A body as it was before its encoding, unless reading it would hold up the other requests of a runtime thread:
/// for more than about 500 µs. A few bytes on the wire may become any number, so only so many are tried.
fn small(encoding: Encoding, wire: &Bytes, max_bytes: usize) -> Result<Option<Bytes>, Error> {
    match encoding {
        Encoding::Identity if wire.len() > SMALL_BYTES => return Ok(None),
        Encoding::Identity => return announced(wire.clone()).map(Some),
        Encoding::Gzip
        | Encoding::Deflate
        | Encoding::Zstd
        | Encoding::Snappy
        | Encoding::SnappyFramed => {}
    }
    if wire.len() > SMALL_WIRE_BYTES {
        return Ok(None);
    }
    let most = max_bytes.min(SMALL_BYTES);
    match inflate(encoding, wire, most) {
        Err(InflateError::TooLarge { .. }) if most < max_bytes => Ok(None),
        result => Ok(Some(result?)),
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

#[cfg(test)]
mod tests;
