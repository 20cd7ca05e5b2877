//! A body as far as it has been read: lines into samples.

use std::borrow::Cow;

use model::{Batch, Code, Label, MetricType, Refusal, Sample, Value, head};

use super::families::{Families, suffix_of};
use super::line::{self, Line, Pair, Trailer};
use super::metadata::{self, Hash};
use super::{Dialect, Options, number, rules};
use crate::refusing::{TOLD, refuse, too_many};
use crate::{Decoded, Ignored};

pub(super) struct Reading<'a> {
    decoded: Decoded<'a>,
    families: Families<'a>,
    dialect: Dialect,
    now_ms: i64,
    max_samples: usize,
    /// The family of the last metadata or sample, if it is known.
    current: Option<usize>,
    /// The name of the last sample.
    last: Cow<'a, str>,
    /// The labels of the exemplar that is being read.
    pairs: Vec<Pair<'a>>,
    /// Where the samples of the current family begin.
    family_from: usize,
    /// The series of the last `_created` line of the current family, and what it says.
    created: Option<(u32, i64)>,
    is_ended: bool,
}

impl<'a> Reading<'a> {
    pub(super) fn new(body_bytes: usize, options: &Options, max_samples: usize) -> Self {
        let samples = (body_bytes / 64).min(max_samples).min(10_000);
        Self {
            decoded: Decoded {
                batch: Batch::with_capacity(samples, 4),
                ..Decoded::default()
            },
            families: Families::new(body_bytes),
            dialect: options.dialect,
            now_ms: options.now_ms,
            max_samples,
            current: None,
            last: Cow::Borrowed(""),
            pairs: Vec::new(),
            family_from: 0,
            created: None,
            is_ended: false,
        }
    }

    /// Reads a line, which is `None` if it is not UTF-8.
    ///
    /// # Errors
    /// When there are too many samples.
    #[inline]
    pub(super) fn line(&mut self, index: u32, line: Option<&'a str>) -> Result<(), Refusal> {
        let Some(line) = line else {
            let refusal = Refusal::new(Code::SampleInvalid, "the line is not UTF-8");
            return self.refuse(index, Cow::Borrowed(""), refusal);
        };
        match self.dialect {
            Dialect::Text => {
                let line = line.trim_matches([' ', '\t', '\r']);
                match line.as_bytes().first() {
                    None => Ok(()),
                    Some(b'#') => match metadata::read_text(line, &mut self.families) {
                        Ok(Hash::Family(number)) => self.metadata(number),
                        Ok(Hash::Comment | Hash::Eof) => Ok(()),
                        Err(refusal) => self.refuse(index, Cow::Borrowed(""), refusal),
                    },
                    Some(_) => self.sample(index, line),
                }
            }
            Dialect::OpenMetrics => self.openmetrics(index, line),
        }
    }

    fn openmetrics(&mut self, index: u32, line: &'a str) -> Result<(), Refusal> {
        if self.is_ended {
            let refusal = Refusal::new(Code::SampleInvalid, "the line comes after # EOF");
            return self.refuse(index, Cow::Borrowed(""), refusal);
        }
        if !line.starts_with('#') {
            return self.sample(index, line);
        }
        match metadata::read_openmetrics(line, &self.last, &mut self.families) {
            Ok(Hash::Eof) => {
                self.is_ended = true;
                Ok(())
            }
            Ok(Hash::Family(number)) => self.metadata(number),
            Ok(Hash::Comment) => Ok(()),
            Err(refusal) => self.refuse(index, Cow::Borrowed(""), refusal),
        }
    }

    /// Makes a family the current one; there are no more of them than there may be samples.
    fn metadata(&mut self, number: usize) -> Result<(), Refusal> {
        if number >= self.max_samples {
            return Err(too_many(self.max_samples));
        }
        self.switch(Some(number));
        Ok(())
    }

    /// What the body came to.
    ///
    /// # Errors
    /// When it has no end.
    pub(super) fn finish(mut self) -> Result<Decoded<'a>, Refusal> {
        if self.dialect == Dialect::OpenMetrics && !self.is_ended {
            let message =
                "the body does not end with the line # EOF, as OpenMetrics must: it may be cut off";
            return Err(Refusal::new(Code::BodyInvalid, message));
        }
        self.decoded.families = self.families.without_samples(self.dialect);
        Ok(self.decoded)
    }

    fn sample(&mut self, index: u32, text: &'a str) -> Result<(), Refusal> {
        let batch = &mut self.decoded.batch;
        let from = batch.open_labels();
        let read = line::read(text, self.dialect, batch, &mut self.pairs);
        let checked = read.and_then(|line| match self.place(&line, from) {
            Ok(kind) => Ok((line, kind)),
            Err(refusal) => Err((line.name, refusal)),
        });
        match checked {
            Ok((line, kind)) => {
                self.count()?;
                self.push(index, line, kind, from);
                Ok(())
            }
            Err((name, refusal)) => {
                self.decoded.batch.drop_labels(from);
                self.refuse(index, name, refusal)
            }
        }
    }

    /// Finds the family of a sample and makes it the current one; answers the type of the series.
    ///
    /// # Errors
    /// When OpenMetrics does not allow the sample there.
    #[inline]
    fn place(&mut self, line: &Line<'a>, from: usize) -> Result<MetricType, Refusal> {
        let is_current = |number: usize| {
            let known = self.families.get(number)?;
            suffix_of(known, &line.name, self.dialect).map(|_| number)
        };
        if let Some(current) = self.current.and_then(is_current) {
            return self.check(current, line, from);
        }
        // Metadata would have made its family the current one.
        let found = if self.current.is_none() && line.name == self.last {
            None
        } else {
            self.families.of_sample(&line.name, self.dialect)
        };
        if self.dialect == Dialect::OpenMetrics
            && let Some(known) = found.and_then(|number| self.families.get(number))
            && known.is_over
        {
            let message = format!(
                "the samples of {:?} are interrupted by those of another family",
                head(&known.name)
            );
            return Err(Refusal::new(Code::SampleInvalid, message));
        }
        self.switch(found);
        match found {
            Some(number) => self.check(number, line, from),
            None => Ok(MetricType::Unspecified),
        }
    }

    #[inline]
    fn check(
        &mut self,
        number: usize,
        line: &Line<'a>,
        from: usize,
    ) -> Result<MetricType, Refusal> {
        let Some(known) = self.families.get(number) else {
            return Ok(MetricType::Unspecified);
        };
        let kind = known.kind.unwrap_or_default();
        let suffix = suffix_of(known, &line.name, self.dialect).unwrap_or_default();
        if self.dialect == Dialect::OpenMetrics {
            let labels = self.decoded.batch.labels_since(from);
            rules::check(kind, &known.name, suffix, labels, line.value)?;
        }
        Ok(match (kind, suffix) {
            // The value is a time, and the store should not take it for a count.
            (_, "_created") => MetricType::Gauge,
            // Some other series that happens to have the family's name.
            (MetricType::Histogram | MetricType::GaugeHistogram, "") => MetricType::Unspecified,
            (kind, _) => kind,
        })
    }

    fn switch(&mut self, to: Option<usize>) {
        if self.current == to {
            return;
        }
        if let Some(known) = self
            .current
            .and_then(|number| self.families.get_mut(number))
        {
            known.is_over = known.has_samples;
        }
        self.current = to;
        self.created = None;
        self.family_from = self.decoded.batch.samples().len();
    }

    #[inline]
    fn push(&mut self, index: u32, line: Line<'a>, kind: MetricType, from: usize) {
        let at_ms = line.at_ms.unwrap_or(self.now_ms);
        let batch = &mut self.decoded.batch;
        let series = batch.close_series(line.name.clone(), from);
        let mut start_ms = 0;
        let mut takes_exemplars = true;
        if let Some(number) = self.current
            && let Some(known) = self.families.get_mut(number)
        {
            known.has_samples = true;
            let suffix = line
                .name
                .strip_prefix(known.name.as_ref())
                .unwrap_or_default();
            takes_exemplars = rules::takes_exemplars(known.kind, suffix);
            if suffix == "_created" && self.dialect == Dialect::OpenMetrics {
                let created_ms = number::plausible_ms(line.value);
                started(batch, self.family_from, series, created_ms);
                self.created = Some((series, created_ms));
            } else if let Some((created, created_ms)) = self.created
                && is_one_metric(batch, created, series)
            {
                start_ms = created_ms;
            }
            self.families.describe(number, kind, series, batch);
        }
        batch.push(Sample {
            index,
            series,
            at_ms,
            start_ms,
            value: Value::Float(line.value),
        });
        match line.exemplar {
            Trailer::Nothing => {}
            Trailer::Exemplar(exemplar) if takes_exemplars => {
                let from = batch.open_labels();
                for (name, value) in self.pairs.drain(..) {
                    batch.push_label(name, value);
                }
                let at_ms = exemplar.at_ms.unwrap_or(at_ms);
                batch.push_exemplar(index, series, at_ms, exemplar.value, from);
            }
            Trailer::Exemplar(_) | Trailer::BadExemplar => {
                self.decoded.ignore(Ignored::Exemplar, 1);
            }
        }
        self.last = line.name;
    }

    fn count(&mut self) -> Result<(), Refusal> {
        self.decoded.objects = self.decoded.objects.saturating_add(1);
        if self.decoded.objects as usize > self.max_samples {
            return Err(too_many(self.max_samples));
        }
        Ok(())
    }

    fn refuse(
        &mut self,
        index: u32,
        name: Cow<'a, str>,
        mut refusal: Refusal,
    ) -> Result<(), Refusal> {
        self.count()?;
        if self.decoded.refused.len() < TOLD {
            refusal.message = format!("line {}: {}", u64::from(index) + 1, refusal.message);
        }
        refuse(&mut self.decoded.refused, index, &name, &refusal);
        Ok(())
    }
}

/// Says of the samples just before, as far as they are of the same metric, when their counting started.
fn started(batch: &mut Batch<'_>, from: usize, created: u32, created_ms: i64) {
    let is_ours = |sample: &&Sample| {
        let name = batch
            .series(sample.series)
            .map(|series| series.name.as_ref());
        !name.is_some_and(|name| name.ends_with("_created"))
            && is_one_metric(batch, created, sample.series)
    };
    let samples = batch.samples().get(from..).unwrap_or_default();
    let count = samples.iter().rev().take_while(is_ours).count();
    let first = batch.samples().len() - count;
    for sample in batch.samples_mut().iter_mut().skip(first) {
        sample.start_ms = created_ms;
    }
}

/// Whether two series of a family have the same labels, but for a bucket's bound and a quantile.
fn is_one_metric(batch: &Batch<'_>, one: u32, other: u32) -> bool {
    let labels = |number| {
        let series = batch.series(number);
        let labels = series
            .map(|series| batch.labels(series))
            .unwrap_or_default();
        labels
            .iter()
            .filter(|label: &&Label<'_>| !matches!(label.name.as_ref(), "le" | "quantile"))
    };
    labels(one).eq(labels(other))
}
