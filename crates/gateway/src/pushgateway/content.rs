//! What a body says about a group: its families, with the path's labels over its own.

use std::collections::BTreeMap;

use codec::Decoded;
use hashbrown::hash_map::Entry;
use hashbrown::{HashMap, HashSet};
use model::{Batch, Code, MetricType, Refusal, Refused, Sample, Value};
use service::units::Size;

use super::group::{Family, Label, Series};
use super::path::GroupLabels;
use super::samples::OWN_NAMES;

/// Stands for "the sender said no time" while a body is decoded: no clock ever shows it.
pub(crate) const NO_TIME: i64 = i64::MIN;

/// A body, owned: it outlives its bytes in the group.
#[derive(Debug, Default)]
pub(crate) struct Content {
    /// Sorted by name; each series with the last of its samples.
    pub families: Vec<Family>,
    /// Every sample, an index into the series of all families and what it was.
    pub samples: Vec<Pushed>,
    /// What could not be read.
    pub refused: Vec<Refused>,
    /// As in [`Decoded`].
    pub objects: u32,
    /// As in [`Decoded`].
    pub ignored: Vec<(codec::Ignored, u64)>,
}

/// The name and labels of a series.
type Identity = (String, Vec<Label>);

/// One sample of a body.
#[derive(Debug)]
pub(crate) struct Pushed {
    /// The sender's object.
    pub index: u32,
    /// The number of its family, and of the series there.
    pub series: (usize, usize),
    /// None when the sender said no time.
    pub at_ms: Option<i64>,
    pub start_ms: i64,
    pub what: What,
}

/// What a sample is.
#[derive(Debug)]
pub(crate) enum What {
    Float(f64),
    Histogram(Vec<u8>),
    Exemplar { value: f64, labels: Vec<Label> },
}

/// The family that a series belongs to: what `# TYPE` names.
fn family_of(name: &str, kind: MetricType) -> &str {
    let suffixes: &[&str] = match kind {
        MetricType::Histogram => &["_bucket", "_sum", "_count", "_created"],
        MetricType::GaugeHistogram => &["_bucket", "_gsum", "_gcount", "_sum", "_count"],
        MetricType::Summary => &["_sum", "_count", "_created"],
        _ => &[],
    };
    suffixes
        .iter()
        .find_map(|suffix| name.strip_suffix(suffix))
        .filter(|family| !family.is_empty())
        .unwrap_or(name)
}

impl Content {
    /// What a decoded body says about the group with these labels. Its samples have [`NO_TIME`] where the
    /// sender said none.
    ///
    /// # Errors
    /// When the group would be larger than it may be: found before it is, because every series gets all of the
    /// path's labels.
    pub(crate) fn of(
        decoded: Decoded<'_>,
        group: &GroupLabels,
        limit: Size,
    ) -> Result<Self, Refusal> {
        let Decoded {
            mut batch,
            refused,
            objects,
            families: _,
            unknown: _,
            ignored,
        } = decoded;
        batch.sort_labels();
        let mut content = Self {
            refused,
            objects,
            ignored,
            ..Self::default()
        };
        let numbers = content.add_series(&batch, group, limit)?;
        let mut own_indices = Vec::new();
        for sample in batch.samples() {
            match numbers.get(sample.series as usize).copied().flatten() {
                Some(series) => content.add_sample(&batch, sample, series),
                None => own_indices.push(sample.index),
            }
        }
        own_indices.dedup();
        let own = u32::try_from(own_indices.len()).unwrap_or(u32::MAX);
        content.objects = content.objects.saturating_sub(own);
        content.refuse_what_is_twice();
        Ok(content)
    }

    /// Answers where each series of the batch went; none where the gateway's own metrics are.
    fn add_series(
        &mut self,
        batch: &Batch<'_>,
        group: &GroupLabels,
        limit: Size,
    ) -> Result<Vec<Option<(usize, usize)>>, Refusal> {
        let mut by_name: BTreeMap<&str, (Family, HashMap<Identity, usize>)> = BTreeMap::new();
        let mut found: Vec<Option<(&str, usize)>> = Vec::with_capacity(batch.all_series().len());
        let mut least_bytes = 0;
        for series in batch.all_series() {
            if OWN_NAMES.contains(&&*series.name) {
                found.push(None);
                continue;
            }
            let name = family_of(&series.name, series.kind);
            let (family, known) = by_name.entry(name).or_insert_with(|| {
                let family = Family {
                    name: name.to_owned(),
                    kind: series.kind.wire(),
                    unit: series.unit.clone().into_owned(),
                    help: series.help.clone().into_owned(),
                    ..Family::default()
                };
                (family, HashMap::new())
            });
            let labels = merged(batch.labels(series), group);
            let identity: Identity = (series.name.clone().into_owned(), labels);
            // A decoder may give one series several numbers.
            let place = match known.entry(identity) {
                Entry::Occupied(known) => *known.get(),
                Entry::Vacant(room) => {
                    let (name, labels) = room.key().clone();
                    let text = labels.iter().map(|it| it.name.len() + it.value.len());
                    least_bytes += name.len() + text.sum::<usize>();
                    if least_bytes > limit.bytes() {
                        return Err(too_large(limit));
                    }
                    family.series.push(Series {
                        name,
                        labels,
                        ..Series::default()
                    });
                    *room.insert(family.series.len() - 1)
                }
            };
            found.push(Some((name, place)));
        }
        let at: HashMap<&str, usize> = by_name.keys().copied().zip(0..).collect();
        self.families = by_name.into_values().map(|(family, _)| family).collect();
        let place = |(name, place)| Some((*at.get(name)?, place));
        Ok(found.into_iter().map(|it| it.and_then(place)).collect())
    }

    fn add_sample(&mut self, batch: &Batch<'_>, sample: &Sample, place: (usize, usize)) {
        let at_ms = (sample.at_ms != NO_TIME).then_some(sample.at_ms);
        let what = match sample.value {
            Value::Float(value) => What::Float(value),
            Value::Histogram(number) => What::Histogram(batch.histogram(number).to_vec()),
            Value::Exemplar(number) => {
                let Some((exemplar, labels)) = batch.exemplar(number) else {
                    return;
                };
                What::Exemplar {
                    value: exemplar.value,
                    labels: labels
                        .iter()
                        .map(|label| Label {
                            name: label.name.clone().into_owned(),
                            value: label.value.clone().into_owned(),
                        })
                        .collect(),
                }
            }
        };
        self.samples.push(Pushed {
            index: sample.index,
            series: place,
            at_ms,
            start_ms: sample.start_ms,
            what,
        });
    }

    /// Refuses samples of one series at one time, and keeps of each series the last sample.
    fn refuse_what_is_twice(&mut self) {
        let mut seen = HashSet::new();
        let mut latest: HashMap<(usize, usize), i64> = HashMap::new();
        for sample in &self.samples {
            let (value, histogram) = match &sample.what {
                What::Float(value) => (*value, None),
                What::Histogram(message) => (0.0, Some(message)),
                What::Exemplar { .. } => continue,
            };
            let (family, number) = sample.series;
            let Some(series) = self
                .families
                .get_mut(family)
                .and_then(|family| family.series.get_mut(number))
            else {
                continue;
            };
            if !seen.insert((sample.series, sample.at_ms)) {
                let why = format!(
                    "the series {} stands in the body twice; the path's labels replace the body's",
                    shown(series)
                );
                self.refused.push(Refused {
                    index: sample.index,
                    metric_name: series.name.clone(),
                    refusal: Refusal::new(Code::SampleInvalid, why),
                });
                continue;
            }
            // Without a time is now, and what is later than now is no more true.
            let rank = sample.at_ms.unwrap_or(i64::MAX);
            if latest
                .get(&sample.series)
                .is_none_or(|latest| *latest < rank)
            {
                latest.insert(sample.series, rank);
                series.at_ms = sample.at_ms;
                series.start_ms = sample.start_ms;
                series.value = value;
                series.histogram = histogram.cloned();
            }
        }
    }

    /// An object is refused once, whatever is wrong with it, and none of its samples goes on.
    pub(crate) fn refuse_each_once(&mut self) {
        let mut refused = HashSet::new();
        self.refused.retain(|it| refused.insert(it.index));
        self.samples.retain(|it| !refused.contains(&it.index));
    }

    /// The series that a sample belongs to.
    pub(crate) fn series(&self, (family, number): (usize, usize)) -> Option<(&Family, &Series)> {
        let family = self.families.get(family)?;
        Some((family, family.series.get(number)?))
    }
}

/// A group that is larger than one may be.
pub(crate) fn too_large(limit: Size) -> Refusal {
    let why = format!(
        "the group would have more than {limit}, which is the limit (pushgateway.max_group); push less, or to several groups"
    );
    Refusal::new(Code::BodyTooLarge, why)
}

/// A series' labels with the group's over them, sorted, without empty values.
fn merged(own: &[model::Label<'_>], group: &GroupLabels) -> Vec<Label> {
    let own = own
        .iter()
        .filter(|label| !group.contains_key(&*label.name))
        .map(|label| Label {
            name: label.name.clone().into_owned(),
            value: label.value.clone().into_owned(),
        });
    let of_group = group
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| Label {
            name: name.clone(),
            value: value.clone(),
        });
    let mut labels: Vec<Label> = own.chain(of_group).collect();
    labels.sort_by(|a, b| a.name.cmp(&b.name));
    labels
}

/// A series as people write it, not endlessly long.
pub(crate) fn shown(series: &Series) -> String {
    let labels: Vec<String> = series
        .labels
        .iter()
        .map(|label| format!("{}={:?}", label.name, label.value))
        .collect();
    let text = format!("{}{{{}}}", series.name, labels.join(","));
    text.chars().take(200).collect()
}

#[cfg(test)]
mod tests;
