//! A metric: its name, its type, and where its data points are.

use std::borrow::Cow;

use model::{Code, MetricType, Refusal};

use super::names::{Names, Suffix, unit};
use crate::protobuf::{Malformed, Reader};

/// Which kind of data points a metric has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Data {
    None,
    Gauge,
    Sum,
    Histogram,
    Exponential,
    Summary,
}

/// What a point counts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Temporality {
    Unspecified,
    Delta,
    Cumulative,
}

#[derive(Debug)]
pub(super) struct Metric<'a> {
    pub(super) raw_name: &'a str,
    /// The translated name; without one, the points are refused with the code.
    name: Result<Cow<'a, str>, Code>,
    pub(super) unit: Cow<'a, str>,
    pub(super) help: &'a str,
    pub(super) kind: MetricType,
    pub(super) data: Data,
    pub(super) temporality: Temporality,
    /// The message whose field 1 has the data points.
    pub(super) data_points: &'a [u8],
}

impl<'a> Metric<'a> {
    pub(super) fn read(message: &'a [u8], names: Names) -> Result<Self, Malformed> {
        let (mut raw_name, mut help, mut raw_unit) = ("", "", "");
        let (mut data, mut data_points): (_, &[u8]) = (Data::None, &[]);
        let mut reader = Reader(message);
        while let Some((number, field)) = reader.field()? {
            match number {
                1 => raw_name = field.text()?,
                2 => help = field.text()?,
                3 => raw_unit = field.text()?,
                5 | 7 | 9 | 10 | 11 => {
                    data_points = field.bytes()?;
                    data = match number {
                        5 => Data::Gauge,
                        7 => Data::Sum,
                        9 => Data::Histogram,
                        10 => Data::Exponential,
                        _ => Data::Summary,
                    };
                }
                _ => {}
            }
        }
        let (temporality, is_monotonic) = aggregation(data, data_points)?;
        let suffix = match data {
            Data::Gauge => Suffix::Ratio,
            Data::Sum if is_monotonic => Suffix::Total,
            _ => Suffix::None,
        };
        let kind = match data {
            Data::None => MetricType::Unspecified,
            Data::Sum if is_monotonic => MetricType::Counter,
            Data::Gauge | Data::Sum => MetricType::Gauge,
            Data::Histogram | Data::Exponential => MetricType::Histogram,
            Data::Summary => MetricType::Summary,
        };
        let name = if raw_name.is_empty() {
            Err(Code::MetricNameMissing)
        } else {
            names
                .metric(raw_name, raw_unit, suffix)
                .ok_or(Code::MetricNameInvalid)
        };
        Ok(Self {
            raw_name,
            name,
            unit: unit(raw_unit),
            help,
            kind,
            data,
            temporality,
            data_points,
        })
    }

    /// The name, or why its points are refused.
    pub(super) fn name(&self) -> Result<&Cow<'a, str>, Refusal> {
        self.name.as_ref().map_err(|code| {
            let message = if *code == Code::MetricNameMissing {
                "the metric has no name".to_owned()
            } else {
                let shown: String = self.raw_name.chars().take(40).collect();
                format!("metric name {shown:?} has no character that a name may have")
            };
            Refusal::new(*code, message)
        })
    }

    /// The name with something behind it.
    pub(super) fn name_with(&self, suffix: &str) -> Result<Cow<'a, str>, Refusal> {
        let name = self.name()?;
        let mut built = String::with_capacity(name.len() + suffix.len());
        built.push_str(name);
        built.push_str(suffix);
        Ok(Cow::Owned(built))
    }
}

/// Temporality, and whether a sum only grows.
pub(super) fn aggregation(data: Data, message: &[u8]) -> Result<(Temporality, bool), Malformed> {
    let (mut temporality, mut is_monotonic) = (Temporality::Unspecified, false);
    if matches!(data, Data::None | Data::Gauge | Data::Summary) {
        return Ok((Temporality::Cumulative, false));
    }
    let mut reader = Reader(message);
    while let Some((number, field)) = reader.field()? {
        match number {
            2 => {
                temporality = match field.int32()? {
                    1 => Temporality::Delta,
                    2 => Temporality::Cumulative,
                    _ => Temporality::Unspecified,
                }
            }
            3 if data == Data::Sum => is_monotonic = field.bool()?,
            _ => {}
        }
    }
    Ok((temporality, is_monotonic))
}
