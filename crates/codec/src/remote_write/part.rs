//! What each `TimeSeries` of a request holds.

use model::Histogram;

use super::points::Chain;
use super::{Encoder, Exemplar, Series};

/// A `TimeSeries` of the request.
pub(super) struct Part<'a> {
    pub(super) series: &'a Series,
    pub(super) points: Chain,
    pub(super) histograms: &'a [(u32, Histogram)],
    pub(super) exemplars: &'a [(u32, Exemplar)],
}

impl Part<'_> {
    /// Whether there is anything but float samples.
    pub(super) fn has_others(&self) -> bool {
        !self.histograms.is_empty() || !self.exemplars.is_empty()
    }

    fn is_empty(&self) -> bool {
        self.points.is_empty() && self.histograms.is_empty() && self.exemplars.is_empty()
    }
}

impl Encoder {
    /// Calls `each` with what each `TimeSeries` of the request holds. A series with floats and native
    /// histograms is two: the protocol does not mix them in one.
    pub(super) fn each_part(&self, mut each: impl FnMut(&Part<'_>)) {
        if self.histograms.is_empty() && self.exemplars.is_empty() {
            for series in self.series.iter().filter(|it| !it.points.is_empty()) {
                each(&Part {
                    series,
                    points: series.points,
                    histograms: &[],
                    exemplars: &[],
                });
            }
            return;
        }
        let (mut histograms, mut exemplars) =
            (self.histograms.as_slice(), self.exemplars.as_slice());
        for (number, series) in (0_u32..).zip(&self.series) {
            let mut floats = Part {
                series,
                points: series.points,
                histograms: &[],
                exemplars: take_of(&mut exemplars, number),
            };
            let mut natives = Part {
                series,
                points: Chain::default(),
                histograms: take_of(&mut histograms, number),
                exemplars: &[],
            };
            if floats.points.is_empty() {
                std::mem::swap(&mut floats.exemplars, &mut natives.exemplars);
            }
            for part in [&floats, &natives] {
                if !part.is_empty() {
                    each(part);
                }
            }
        }
    }
}

/// The first items as long as they belong to this series.
fn take_of<'a, T>(items: &mut &'a [(u32, T)], number: u32) -> &'a [(u32, T)] {
    let count = items
        .iter()
        .take_while(|(series, _)| *series == number)
        .count();
    items.split_off(..count).unwrap_or_default()
}
