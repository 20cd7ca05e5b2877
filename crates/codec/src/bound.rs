//! A bucket's bound or a quantile as a label's value.

use std::fmt;

/// As Prometheus 3 and OpenMetrics write it: Go's `%g` with a fraction, so `1.0`, `1e+06`.
pub(crate) struct Bound(pub(crate) f64);

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_infinite() {
            return f.write_str(if self.0 > 0.0 { "+Inf" } else { "-Inf" });
        }
        let scientific = format!("{:e}", self.0);
        let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
        let exponent: i32 = exponent.parse().unwrap_or_default();
        if !(-4..6).contains(&exponent) {
            let sign = if exponent < 0 { '-' } else { '+' };
            return write!(f, "{digits}e{sign}{:02}", exponent.abs());
        }
        // Rust's own notation has all digits, and ".0" in this one.
        write!(f, "{:?}", self.0)
    }
}
