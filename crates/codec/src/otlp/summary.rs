//! Summaries: a series per quantile, `_sum` and `_count`.

use std::borrow::Cow;

use model::{Code, MetricType, Refusal};

use super::histogram::whole;
use super::metric::Metric;
use super::translate::{Bad, Point, Translator};
use crate::protobuf::{Malformed, Reader};

impl<'a> Translator<'a, '_> {
    pub(super) fn summary(
        &mut self,
        metric: &Metric<'a>,
        index: u32,
        message: &'a [u8],
    ) -> Result<(), Bad> {
        let mut point = Point::default();
        let (mut count, mut sum) = (0, 0.0);
        let mut quantiles = Vec::new();
        let mut reader = Reader(message);
        while let Some((number, field)) = reader.field()? {
            match number {
                2 => point.start_ns = field.fixed64()?,
                3 => point.at_ns = field.fixed64()?,
                4 => count = field.fixed64()?,
                5 => sum = field.double()?,
                6 => {
                    self.count(1)?;
                    quantiles.push(quantile(field.bytes()?)?);
                }
                7 => self.labels.add(field.bytes()?)?,
                8 => point.flags = field.uint32()?,
                _ => {}
            }
        }
        let name = metric.name()?;
        self.check_point(point)?;
        if let Some((found, _)) = quantiles.iter().find(|(at, _)| !(0.0..=1.0).contains(at)) {
            let message = format!("quantile {found} is not from 0 to 1");
            return Err(Refusal::new(Code::SummaryInvalid, message).into());
        }
        self.count(2)?;
        self.finish_labels()?;
        self.take_series(metric, name.len(), quantiles.len() + 2)?;
        let (kind, start_ms) = (MetricType::Summary, point.start_ms());
        for (at, value) in quantiles {
            let extra = Some(("quantile", Cow::Owned(at.to_string())));
            let series = self.series(metric, name.clone(), extra, kind);
            self.push_number(index, series, point, start_ms, value);
        }
        let series = self.series(metric, metric.name_with("_sum")?, None, kind);
        self.push_number(index, series, point, start_ms, sum);
        let series = self.series(metric, metric.name_with("_count")?, None, kind);
        self.push_number(index, series, point, start_ms, whole(count));
        Ok(())
    }
}

fn quantile(message: &[u8]) -> Result<(f64, f64), Malformed> {
    let mut quantile = (0.0, 0.0);
    let mut reader = Reader(message);
    while let Some((number, field)) = reader.field()? {
        match number {
            1 => quantile.0 = field.double()?,
            2 => quantile.1 = field.double()?,
            _ => {}
        }
    }
    Ok(quantile)
}
