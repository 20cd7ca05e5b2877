//! What every decoder of pushed bodies makes of them.

use std::borrow::Cow;

use model::{Batch, Family, Refused};

use crate::catalogue::Unknown;

/// What a body holds: the samples that have the right shape, and what has not.
///
/// Labels are in the sender's order and nothing is validated beyond the format's own rules: the pipeline sorts
/// them and applies the limits, the same for every protocol.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Decoded<'a> {
    /// The samples. `Sample::index` is the position of the sender's object (an element, a line, a data point),
    /// which is refused as a whole: a classic histogram is several samples with one index.
    pub batch: Batch<'a>,
    /// The objects that could not be read, by the same index, in any order.
    pub refused: Vec<Refused>,
    /// How many objects the body has: those in the batch and those refused.
    pub objects: u32,
    /// What is known of metric families without a sample of theirs in the body. It describes the series
    /// of later bodies.
    pub families: Vec<Family<'a>>,
    /// What the format has and Sluice does not store, by kind: nothing is refused for it, but it is counted.
    pub ignored: Vec<(Ignored, u64)>,
    /// The series that a catalogue may learn, once they are found good.
    pub unknown: Vec<Unknown<'a>>,
}

/// What is passed over, and counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ignored {
    /// A field whose value is text: InfluxDB's strings.
    Text,
    /// A field that is true or false, where a setting says so.
    Boolean,
    /// An event: DogStatsD's, not a metric.
    Event,
    /// A service check: DogStatsD's, not a metric.
    ServiceCheck,
    /// An exemplar that breaks its format's rules; the sample beside it is stored.
    Exemplar,
    /// A data point that says of itself that it has no value.
    NoValue,
    /// A unit or a help text longer than `limits.max_metadata`; the samples are stored without it.
    Metadata,
}

impl Ignored {
    /// The label `kind` in metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Boolean => "boolean",
            Self::Event => "event",
            Self::ServiceCheck => "service_check",
            Self::Exemplar => "exemplar",
            Self::NoValue => "no_value",
            Self::Metadata => "metadata",
        }
    }
}

impl Decoded<'_> {
    /// Drops units and help texts of more than so many bytes, and counts them: nobody loses samples for what
    /// describes them.
    pub fn drop_long_metadata(&mut self, max_bytes: usize) {
        let is_long = |text: &str| text.len() > max_bytes;
        let mut count = 0;
        let mut shortened = Vec::new();
        for number in 0..u32::try_from(self.batch.all_series().len()).unwrap_or(u32::MAX) {
            let Some(series) = self.batch.series(number) else {
                break;
            };
            let (is_long_unit, is_long_help) = (is_long(&series.unit), is_long(&series.help));
            if !is_long_unit && !is_long_help {
                continue;
            }
            let (mut unit, mut help) = (series.unit.clone(), series.help.clone());
            if is_long_unit {
                unit = Cow::Borrowed("");
                count += 1;
            }
            if is_long_help {
                help = Cow::Borrowed("");
                count += 1;
            }
            let kind = series.kind;
            self.batch.describe(number, kind, unit, help);
            shortened.push(number);
        }
        // Once known, they would not be counted any more.
        let is_whole = |unknown: &Unknown<'_>| shortened.binary_search(&unknown.series).is_err();
        self.unknown.retain(is_whole);
        self.ignore(Ignored::Metadata, count);
    }

    /// Counts something that is passed over.
    pub fn ignore(&mut self, what: Ignored, count: u64) {
        if count == 0 {
            return;
        }
        match self.ignored.iter_mut().find(|(known, _)| *known == what) {
            Some((_, total)) => *total += count,
            None => self.ignored.push((what, count)),
        }
    }
}
