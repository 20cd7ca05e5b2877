//! What OpenMetrics demands of a sample of each type.
//!
//! Only what makes a single line impossible. Sums and quantiles may be negative or NaN, which the specification forbids:
//! clients that observe such values send them, and Prometheus takes them.

use model::{Code, Label, MetricType, Refusal, head};

use super::number::float;

/// Checks a sample of a family: what its name has after the family's, its labels, its value.
///
/// # Errors
/// The rule that it breaks.
#[inline]
pub(super) fn check(
    kind: MetricType,
    family: &str,
    suffix: &str,
    labels: &[Label<'_>],
    value: f64,
) -> Result<(), Refusal> {
    match (kind, suffix) {
        (MetricType::Counter, "_total")
        | (MetricType::Histogram | MetricType::Summary, "_count")
        | (MetricType::GaugeHistogram, "_gcount") => count(kind, value),
        (MetricType::Histogram | MetricType::GaugeHistogram, "_bucket") => {
            match label(labels, "le").map(float) {
                Some(Some(bound)) if !bound.is_nan() => count(kind, value),
                Some(_) => Err(histogram("the label le of the bucket is not a number")),
                None => Err(histogram("the bucket has no label le")),
            }
        }
        (MetricType::Summary, "") => match label(labels, "quantile").map(float) {
            Some(Some(quantile)) if (0.0..=1.0).contains(&quantile) => Ok(()),
            Some(_) => Err(summary("the label quantile is not a number from 0 to 1")),
            None => Err(summary("the summary's sample has no label quantile")),
        },
        (MetricType::Info, _) if value.to_bits() != 1_f64.to_bits() => Err(Refusal::new(
            Code::ValueInvalid,
            format!("the value of an info is {value}, not 1"),
        )),
        (MetricType::StateSet, _) => {
            if value.abs().to_bits() != 0 && value.to_bits() != 1_f64.to_bits() {
                let message = format!("the value of a stateset is {value}, neither 0 nor 1");
                return Err(Refusal::new(Code::ValueInvalid, message));
            }
            if label(labels, family).is_none() {
                let message = format!(
                    "the stateset's sample has no label {:?}, which would name the state",
                    head(family)
                );
                return Err(Refusal::new(Code::LabelsInvalid, message));
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Whether a sample may have an exemplar. Where no type is stated, it may.
#[inline]
pub(super) fn takes_exemplars(kind: Option<MetricType>, suffix: &str) -> bool {
    match kind {
        None | Some(MetricType::Unspecified) => true,
        Some(MetricType::Counter) => suffix != "_created",
        Some(MetricType::Histogram | MetricType::GaugeHistogram) => suffix == "_bucket",
        Some(MetricType::Gauge | MetricType::Summary | MetricType::Info | MetricType::StateSet) => {
            false
        }
    }
}

fn label<'l>(labels: &'l [Label<'_>], name: &str) -> Option<&'l str> {
    let label = labels.iter().find(|label| label.name == name)?;
    Some(label.value.as_ref())
}

fn count(kind: MetricType, value: f64) -> Result<(), Refusal> {
    if value >= 0.0 {
        return Ok(());
    }
    let message = format!(
        "the value is {value}, but a {} counts up from 0",
        kind.as_str()
    );
    Err(Refusal::new(Code::ValueInvalid, message))
}

fn histogram(message: &str) -> Refusal {
    Refusal::new(Code::HistogramInvalid, message)
}

fn summary(message: &str) -> Refusal {
    Refusal::new(Code::SummaryInvalid, message)
}
