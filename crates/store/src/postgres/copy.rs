//! Samples and series in `COPY`'s binary format. Pure.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use ring::digest::{Context, SHA256};

use crate::clickhouse::labels_as_json;
use crate::{Batch, Item};

/// Microseconds from `PostgreSQL`'s epoch (2000-01-01) back to Unix'.
const EPOCH_US: i64 = 946_684_800_000_000;

const DAY_MS: i64 = 86_400_000;

const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

/// What names a series: the first half of a SHA-256 of its metric, labels and tenant. The same everywhere and forever.
pub(super) type SeriesId = [u8; 16];

/// Values and native histograms by series and time.
type Samples<'a> = BTreeMap<(SeriesId, i64), (f64, Option<&'a [u8]>)>;

/// The samples of a batch, each once.
#[derive(Debug)]
pub(super) struct Rows<'a> {
    body: Bytes,
    days: BTreeSet<i64>,
    series: BTreeMap<SeriesId, &'a Item>,
}

/// Series for the table of them.
#[derive(Debug)]
pub(super) struct SeriesRows {
    body: Bytes,
    ids: Vec<SeriesId>,
}

impl SeriesRows {
    pub(super) fn body(&self) -> &Bytes {
        &self.body
    }

    pub(super) fn ids(&self) -> &[SeriesId] {
        &self.ids
    }
}

impl<'a> Rows<'a> {
    pub(super) fn of(batch: &'a Batch) -> Self {
        // The last of a series and time wins, as it would in two batches; sorted is also what an index likes.
        let mut samples = Samples::new();
        let mut series = BTreeMap::new();
        let mut days = BTreeSet::new();
        for item in &batch.items {
            let parts = item.parts();
            if parts.points.is_empty() && parts.histograms.is_empty() {
                continue;
            }
            let id = series_id(item);
            series.entry(id).or_insert(item);
            for point in parts.points {
                samples.insert((id, point.at_ms), (point.value, None));
            }
            for histogram in parts.histograms {
                samples.insert((id, histogram.at_ms), (0.0, Some(&histogram.message)));
            }
        }
        let mut body = Vec::with_capacity(samples.len() * 64);
        body.extend_from_slice(HEADER);
        for (&(id, at_ms), &(value, histogram)) in &samples {
            days.insert(at_ms.div_euclid(DAY_MS));
            body.extend_from_slice(&4_i16.to_be_bytes());
            field(&mut body, &id);
            field(&mut body, &timestamp(at_ms).to_be_bytes());
            field(&mut body, &value.to_bits().to_be_bytes());
            nullable(&mut body, histogram);
        }
        body.extend_from_slice(&(-1_i16).to_be_bytes());
        Self {
            body: body.into(),
            days,
            series,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.series.is_empty()
    }

    pub(super) fn body(&self) -> &Bytes {
        &self.body
    }

    /// The days that samples are of, since Unix' epoch.
    pub(super) fn days(&self) -> impl Iterator<Item = i64> {
        self.days.iter().copied()
    }

    /// The series that are not known yet, if there are any.
    pub(super) fn series_but(&self, is_known: impl Fn(&SeriesId) -> bool) -> Option<SeriesRows> {
        let mut body = HEADER.to_vec();
        let mut ids = Vec::new();
        for (id, item) in &self.series {
            if is_known(id) {
                continue;
            }
            ids.push(*id);
            let view = item.view();
            body.extend_from_slice(&4_i16.to_be_bytes());
            field(&mut body, id);
            field(&mut body, view.name().as_bytes());
            // The first byte is the version of jsonb's own format.
            let labels = [b"\x01", &*labels_as_json(view)].concat();
            field(&mut body, &labels);
            nullable(&mut body, item.tenant.as_deref().map(str::as_bytes));
        }
        body.extend_from_slice(&(-1_i16).to_be_bytes());
        (!ids.is_empty()).then(|| SeriesRows {
            body: body.into(),
            ids,
        })
    }
}

/// A time that no timestamp can have stays one, so that the server refuses it: the largest number means *infinity*.
fn timestamp(at_ms: i64) -> i64 {
    at_ms
        .saturating_mul(1000)
        .saturating_sub(EPOCH_US)
        .clamp(i64::MIN + 1, i64::MAX - 1)
}

fn series_id(item: &Item) -> SeriesId {
    let view = item.view();
    let mut digest = Context::new(&SHA256);
    let mut add = |text: &str| {
        digest.update(&(text.len() as u64).to_be_bytes());
        digest.update(text.as_bytes());
    };
    add(view.name());
    let mut labels: Vec<(&str, &str)> = view
        .labels()
        .filter(|(name, value)| *name != "__name__" && !value.is_empty())
        .collect();
    if !view.is_tidy() {
        labels.sort_unstable();
    }
    for (name, value) in labels {
        add(name);
        add(value);
    }
    // A metric's labels come in pairs, so that a tenant is not taken for one.
    if let Some(tenant) = item.tenant.as_deref() {
        add(tenant);
    }
    let digest = digest.finish();
    let mut id = SeriesId::default();
    for (to, from) in id.iter_mut().zip(digest.as_ref()) {
        *to = *from;
    }
    id
}

fn field(out: &mut Vec<u8>, bytes: &[u8]) {
    // A field of more than 2 GiB is larger than any record.
    let length = i32::try_from(bytes.len()).unwrap_or(i32::MAX);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(bytes);
}

fn nullable(out: &mut Vec<u8>, bytes: Option<&[u8]>) {
    match bytes {
        Some(bytes) => field(out, bytes),
        None => out.extend_from_slice(&(-1_i32).to_be_bytes()),
    }
}
