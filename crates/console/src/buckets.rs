//! Histograms with buckets: sums over labels, differences between moments, quantiles of those.

/// Cumulative counts at or below bounds, the last of which is infinite.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Buckets(Vec<(f64, f64)>);

impl Buckets {
    /// Adds what one line says.
    pub(crate) fn add(&mut self, bound: &str, count: f64) {
        let bound: f64 = match bound {
            "+Inf" => f64::INFINITY,
            other => match other.parse() {
                Ok(bound) => bound,
                Err(_) => return,
            },
        };
        match self.0.binary_search_by(|known| known.0.total_cmp(&bound)) {
            Ok(at) => {
                if let Some(known) = self.0.get_mut(at) {
                    known.1 += count;
                }
            }
            Err(at) => self.0.insert(at, (bound, count)),
        }
    }

    /// What came since.
    pub(crate) fn since(&self, before: &Self) -> Self {
        let earlier = |bound: f64| {
            let found = before.0.binary_search_by(|known| known.0.total_cmp(&bound));
            found.ok().and_then(|at| before.0.get(at))
        };
        let buckets = self.0.iter().map(|&(bound, count)| {
            let earlier = earlier(bound).map_or(0.0, |known| known.1);
            (bound, (count - earlier).max(0.0))
        });
        Self(buckets.collect())
    }

    /// The value that this part of all observations is at or below, as Prometheus' `histogram_quantile` has it: linear
    /// within a bucket, and the highest bound for what is beyond. None without observations.
    pub(crate) fn quantile(&self, part: f64) -> Option<f64> {
        let total = self.0.last()?.1;
        if total <= 0.0 {
            return None;
        }
        let rank = part * total;
        let (mut below, mut start) = (0.0, 0.0);
        for &(bound, count) in &self.0 {
            if count >= rank && count > below {
                if bound.is_infinite() {
                    return Some(start);
                }
                return Some(start + (bound - start) * (rank - below) / (count - below));
            }
            if bound.is_finite() {
                start = bound;
            }
            below = count;
        }
        Some(start)
    }
}

#[cfg(test)]
mod tests;
