//! What `HELP`, `TYPE` and `UNIT` lines say, and which samples they say it of.

use std::borrow::Cow;

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use model::{Batch, Family, MetricType};

use super::Dialect;

/// A metric family with metadata.
#[derive(Debug, Default)]
pub(super) struct Known<'a> {
    pub(super) name: Cow<'a, str>,
    pub(super) kind: Option<MetricType>,
    pub(super) unit: Option<Cow<'a, str>>,
    pub(super) help: Option<Cow<'a, str>>,
    /// Whether a sample of it has come.
    pub(super) has_samples: bool,
    /// Whether its samples ended because another family's came.
    pub(super) is_over: bool,
}

/// All families with metadata, by name.
#[derive(Debug)]
pub(super) struct Families<'a> {
    known: Vec<Known<'a>>,
    by_name: HashMap<Cow<'a, str>, usize, RandomState>,
    /// Bytes of texts with escapes that may still be copied: each series has its own.
    copies_left: usize,
}

const SUFFIXES: [&str; 8] = [
    "_bucket", "_count", "_sum", "_total", "_created", "_gcount", "_gsum", "_info",
];

/// What a family's samples may have after its name, beside nothing.
pub(super) fn suffixes(kind: MetricType, dialect: Dialect) -> &'static [&'static str] {
    match (kind, dialect) {
        (MetricType::Counter, Dialect::OpenMetrics) => &["_total", "_created"],
        (MetricType::Counter, Dialect::Text) => &["_total"],
        (MetricType::Histogram, Dialect::OpenMetrics) => &["_bucket", "_count", "_sum", "_created"],
        (MetricType::Histogram, Dialect::Text) => &["_bucket", "_count", "_sum"],
        (MetricType::GaugeHistogram, Dialect::OpenMetrics) => &["_bucket", "_gcount", "_gsum"],
        (MetricType::GaugeHistogram, Dialect::Text) => {
            &["_bucket", "_gcount", "_gsum", "_count", "_sum"]
        }
        (MetricType::Summary, Dialect::OpenMetrics) => &["_count", "_sum", "_created"],
        (MetricType::Summary, Dialect::Text) => &["_count", "_sum"],
        (MetricType::Info, _) => &["_info"],
        (MetricType::Unspecified | MetricType::Gauge | MetricType::StateSet, _) => &[],
    }
}

/// What a family's sample has after the family's name; `None` if it is none of the family's.
pub(super) fn suffix_of<'n>(known: &Known<'_>, name: &'n str, dialect: Dialect) -> Option<&'n str> {
    let suffix = name.strip_prefix(known.name.as_ref())?;
    let is_of_family =
        suffix.is_empty() || suffixes(known.kind.unwrap_or_default(), dialect).contains(&suffix);
    is_of_family.then_some(suffix)
}

impl<'a> Families<'a> {
    pub(super) fn new(body_bytes: usize) -> Self {
        Self {
            known: Vec::new(),
            by_name: HashMap::default(),
            copies_left: body_bytes.saturating_mul(4),
        }
    }

    pub(super) fn get(&self, number: usize) -> Option<&Known<'a>> {
        self.known.get(number)
    }

    pub(super) fn get_mut(&mut self, number: usize) -> Option<&mut Known<'a>> {
        self.known.get_mut(number)
    }

    /// The family of this very name.
    pub(super) fn named(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// The family of this name, which is made if there is none.
    pub(super) fn open(&mut self, name: Cow<'a, str>) -> usize {
        *self.by_name.entry(name).or_insert_with_key(|name| {
            self.known.push(Known {
                name: name.clone(),
                ..Known::default()
            });
            self.known.len() - 1
        })
    }

    /// The family that a sample of this name belongs to.
    pub(super) fn of_sample(&self, name: &str, dialect: Dialect) -> Option<usize> {
        if self.known.is_empty() {
            return None;
        }
        let of_suffix = |suffix: &&str| {
            let number = self.named(name.strip_suffix(suffix)?)?;
            let known = self.known.get(number)?;
            suffix_of(known, name, dialect).map(|_| number)
        };
        self.named(name)
            .or_else(|| SUFFIXES.iter().find_map(of_suffix))
    }

    /// A family whose samples could have the same name as one of a family of this name and type.
    pub(super) fn clash(&self, name: &str, kind: MetricType, dialect: Dialect) -> Option<&str> {
        let inner = suffixes(kind, dialect)
            .iter()
            .find_map(|suffix| self.named(&format!("{name}{suffix}")));
        let outer = SUFFIXES.iter().find_map(|suffix| {
            let number = self.named(name.strip_suffix(suffix)?)?;
            let known = self.known.get(number)?;
            let theirs = suffixes(known.kind.unwrap_or_default(), dialect);
            theirs.contains(suffix).then_some(number)
        });
        let known = self.known.get(inner.or(outer)?)?;
        Some(known.name.as_ref())
    }

    /// Says of a series what is known of its family, with its own type if it has one.
    pub(super) fn describe(
        &mut self,
        number: usize,
        kind: MetricType,
        series: u32,
        batch: &mut Batch<'a>,
    ) {
        let Some(known) = self.known.get(number) else {
            return;
        };
        let text = |text: &Option<Cow<'a, str>>, copies_left: &mut usize| match text {
            None => Cow::Borrowed(""),
            Some(Cow::Borrowed(text)) => Cow::Borrowed(*text),
            Some(Cow::Owned(text)) if text.len() <= *copies_left => {
                *copies_left -= text.len();
                Cow::Owned(text.clone())
            }
            Some(Cow::Owned(_)) => Cow::Borrowed(""),
        };
        let unit = text(&known.unit, &mut self.copies_left);
        let help = text(&known.help, &mut self.copies_left);
        batch.describe(series, kind, unit, help);
    }

    /// The families of which no sample has come.
    pub(super) fn without_samples(self, dialect: Dialect) -> Vec<Family<'a>> {
        let unused = self.known.into_iter().filter(|known| !known.has_samples);
        unused
            .map(|known| {
                let kind = known.kind.unwrap_or_default();
                // Who asks knows the name of a series.
                let name = match (kind, dialect) {
                    (MetricType::Counter, Dialect::OpenMetrics) => {
                        Cow::Owned(format!("{}_total", known.name))
                    }
                    (MetricType::Info, _) => Cow::Owned(format!("{}_info", known.name)),
                    _ => known.name,
                };
                Family {
                    name,
                    kind,
                    unit: known.unit.unwrap_or_default(),
                    help: known.help.unwrap_or_default(),
                }
            })
            .collect()
    }
}
