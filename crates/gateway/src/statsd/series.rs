//! One series: who it is, and what its lines have come to so far.

use std::sync::Arc;

use codec::exponential::Exponential;
use codec::statsd::{Kind, Reading};
use hashbrown::HashSet;
use model::Code;

use super::rules::Rules;
use crate::config::{Distributions, SignedGauges};

/// Name and labels, sorted, of a series.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Identity {
    pub hash: u64,
    /// Of the aggregator.
    pub part: usize,
    pub name: Box<str>,
    pub labels: Box<[(Box<str>, Box<str>)]>,
    /// The sender's own time, for samples that are not added up; otherwise 0.
    pub at_s: i64,
}

impl Identity {
    pub(super) fn is(&self, name: &str, labels: &[(&str, &str)], at_s: i64) -> bool {
        self.at_s == at_s
            && *self.name == *name
            && self.labels.len() == labels.len()
            && (self.labels.iter())
                .zip(labels)
                .all(|(ours, theirs)| *ours.0 == *theirs.0 && *ours.1 == *theirs.1)
    }
}

/// Why a line that can be read is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// The series breaks a rule that holds for every protocol.
    Rule(Code),
    /// The series is of another type already.
    TypeConflict,
    /// A counter cannot fall.
    NegativeCount,
    /// The sum would be infinite.
    TooLarge,
    /// All series together take `statsd.max_memory`.
    MemoryFull,
}

impl Refused {
    /// The label `reason` in metrics.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Rule(code) => code.as_str(),
            Self::TypeConflict => "type_conflict",
            Self::NegativeCount => "negative_count",
            Self::TooLarge => "sum_too_large",
            Self::MemoryFull => "memory_full",
        }
    }
}

/// What has to reach the buffer once: `held` is on its way there, `open` came since.
#[derive(Debug, Default)]
pub(super) struct Once<T> {
    pub held: T,
    pub open: T,
}

/// What a series is stored as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Counter,
    Gauge,
    Native,
    Classic,
    Summary,
}

/// What a series is.
#[derive(Debug)]
pub(super) enum State {
    Counter(f64),
    Gauge(f64),
    /// A counter's increments at the sender's own time.
    TimedCount(f64),
    /// A gauge at the sender's own time.
    TimedGauge(f64),
    Native(Box<Exponential>),
    Classic(Box<Classic>),
    Quantiles(Box<Quantiles>),
    Set(Box<Once<HashSet<u64>>>),
}

#[derive(Debug, Default)]
pub(super) struct Classic {
    /// One per bound, each without the lower ones, then those above all bounds.
    pub counts: Vec<f64>,
    pub sum: f64,
}

#[derive(Debug)]
pub(super) struct Quantiles {
    pub count: f64,
    pub sum: f64,
    pub recent: Once<Exponential>,
}

impl State {
    pub(super) fn new(kind: Kind, is_timed: bool, rules: &Rules) -> Self {
        match (kind, is_timed) {
            (Kind::Counter | Kind::Meter, false) => Self::Counter(0.0),
            (Kind::Counter | Kind::Meter, true) => Self::TimedCount(0.0),
            (Kind::Gauge, false) => Self::Gauge(0.0),
            (Kind::Gauge, true) => Self::TimedGauge(0.0),
            (Kind::Set, _) => Self::Set(Box::default()),
            (Kind::Timer | Kind::Histogram | Kind::Distribution, _) => match rules.distributions {
                Distributions::Native => Self::Native(Box::default()),
                Distributions::Classic => Self::Classic(Box::new(Classic {
                    counts: vec![0.0; rules.bounds.len() + 1],
                    sum: 0.0,
                })),
                Distributions::Quantiles => Self::Quantiles(Box::new(Quantiles {
                    count: 0.0,
                    sum: 0.0,
                    recent: Once {
                        held: Exponential::fine(),
                        open: Exponential::fine(),
                    },
                })),
            },
        }
    }

    /// Adds a line, all of it or nothing. A set counts `member`.
    pub(super) fn add(
        &mut self,
        reading: &Reading<'_>,
        member: u64,
        rules: &Rules,
        is_full: bool,
    ) -> Result<(), Refused> {
        let weight = 1.0 / reading.rate;
        let numbers = reading.numbers();
        match (self, reading.kind) {
            (Self::Counter(total) | Self::TimedCount(total), Kind::Counter | Kind::Meter) => {
                let mut sum = *total;
                for number in numbers {
                    if number.value < 0.0 {
                        return Err(Refused::NegativeCount);
                    }
                    sum += number.value / reading.rate;
                }
                store_finite(total, sum)
            }
            (Self::Gauge(value), Kind::Gauge) => {
                let is_difference = rules.signed_gauges == SignedGauges::Difference;
                let last = numbers.fold(*value, |before, number| {
                    if number.is_signed && is_difference {
                        before + number.value
                    } else {
                        number.value
                    }
                });
                store_finite(value, last)
            }
            // A difference to nothing known is none.
            (Self::TimedGauge(value), Kind::Gauge) => {
                *value = numbers.last().map_or(*value, |number| number.value);
                Ok(())
            }
            (Self::Set(once), Kind::Set) => {
                if is_full && !once.open.contains(&member) {
                    return Err(Refused::MemoryFull);
                }
                once.open.insert(member);
                Ok(())
            }
            (state, Kind::Timer | Kind::Histogram | Kind::Distribution) => {
                let scale = rules.scale(reading.kind);
                let values = || reading.numbers().map(|number| number.value * scale);
                let sum = values().fold(0.0, |sum, value| sum + value * weight);
                state.observe(values, sum, weight, rules, is_full)
            }
            _ => Err(Refused::TypeConflict),
        }
    }

    fn observe<I: Iterator<Item = f64>>(
        &mut self,
        values: impl Fn() -> I,
        sum: f64,
        weight: f64,
        rules: &Rules,
        is_full: bool,
    ) -> Result<(), Refused> {
        let refuse_growth = |histogram: &Exponential| {
            if is_full && values().any(|value| histogram.grows_with(value)) {
                Err(Refused::MemoryFull)
            } else {
                Ok(())
            }
        };
        match self {
            Self::Native(histogram) => {
                refuse_growth(histogram)?;
                finite(histogram.sum() + sum)?;
                values().for_each(|value| histogram.observe(value, weight));
            }
            Self::Classic(classic) => {
                let total = classic.sum + sum;
                store_finite(&mut classic.sum, total)?;
                for value in values() {
                    let at = rules.bounds.partition_point(|bound| *bound < value);
                    if let Some(count) = classic.counts.get_mut(at) {
                        *count += weight;
                    }
                }
            }
            Self::Quantiles(quantiles) => {
                refuse_growth(&quantiles.recent.open)?;
                let total = quantiles.sum + sum;
                store_finite(&mut quantiles.sum, total)?;
                for value in values() {
                    quantiles.count += weight;
                    quantiles.recent.open.observe(value, weight);
                }
            }
            _ => return Err(Refused::TypeConflict),
        }
        Ok(())
    }

    pub(super) fn form(&self) -> Form {
        match self {
            Self::Counter(_) => Form::Counter,
            Self::Gauge(_) | Self::TimedCount(_) | Self::TimedGauge(_) | Self::Set(_) => {
                Form::Gauge
            }
            Self::Native(_) => Form::Native,
            Self::Classic(_) => Form::Classic,
            Self::Quantiles(_) => Form::Summary,
        }
    }

    /// What it takes beside the entry itself, in bytes.
    pub(super) fn bytes(&self) -> usize {
        // A bucket is 16 bytes, a member 9; vectors and tables have room for more.
        let histogram = |it: &Exponential| size_of::<Exponential>() + 24 * it.buckets();
        match self {
            Self::Counter(_) | Self::Gauge(_) | Self::TimedCount(_) | Self::TimedGauge(_) => 0,
            Self::Native(it) => histogram(it),
            Self::Classic(it) => size_of::<Classic>() + 8 * it.counts.len(),
            Self::Quantiles(it) => 16 + histogram(&it.recent.held) + histogram(&it.recent.open),
            Self::Set(it) => size_of::<Once<HashSet<u64>>>() + 16 * (it.held.len() + it.open.len()),
        }
    }

    /// Whether [`Self::bytes`] changes with lines.
    pub(super) fn grows(&self) -> bool {
        matches!(self, Self::Native(_) | Self::Quantiles(_) | Self::Set(_))
    }
}

fn finite(sum: f64) -> Result<(), Refused> {
    if sum.is_finite() {
        Ok(())
    } else {
        Err(Refused::TooLarge)
    }
}

fn store_finite(place: &mut f64, sum: f64) -> Result<(), Refused> {
    finite(sum)?;
    *place = sum;
    Ok(())
}

/// A series that is held.
#[derive(Debug)]
pub(super) struct Entry {
    pub identity: Arc<Identity>,
    pub state: State,
    pub unit: &'static str,
    /// When its first line came.
    pub start_ms: i64,
    /// When its last line came.
    pub touched_ms: i64,
    /// Grows with each line.
    pub version: u64,
    /// Up to which of them the buffer has confirmed; 0 when none.
    pub stored_version: u64,
    /// What it is charged for.
    pub bytes: usize,
}

impl Entry {
    /// What it takes in memory, about.
    pub(super) fn size(&self) -> usize {
        let labels = self.identity.labels.iter();
        let text: usize = labels.map(|(name, value)| name.len() + value.len()).sum();
        // Three allocations and the table's slack beside the structs.
        let labels = size_of::<(Box<str>, Box<str>)>() * self.identity.labels.len();
        let structs = size_of::<Self>() + size_of::<Identity>() + 96;
        structs + self.identity.name.len() + text + labels + self.state.bytes()
    }
}
