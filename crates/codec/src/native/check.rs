//! The rules that a native histogram keeps.

use std::ops::RangeInclusive;

use super::CUSTOM_BUCKETS;
use crate::protobuf::{Malformed, Reader, Value};

/// The schemas that compute where their buckets end.
const EXPONENTIAL: RangeInclusive<i32> = -4..=8;

/// What whoever stores a histogram wants to know of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checked {
    /// Milliseconds since the Unix epoch.
    pub at_ms: i64,
    /// Whether it says when counting started.
    pub has_start: bool,
    /// How many buckets it has, the one around zero not counted.
    pub buckets: usize,
}

/// Checks a `Histogram` message: buckets where the spans say, no negative counts, and a total that fits them.
///
/// # Errors
/// The first rule that it breaks, as a sentence.
pub fn check(message: &[u8]) -> Result<Checked, String> {
    let mut read = Read::default();
    read.message(message)
        .map_err(|error| format!("the histogram is malformed: {error}"))?;
    read.check()
}

#[derive(Debug, Clone, Copy)]
enum Number {
    Int(u64),
    Float(f64),
}

impl Default for Number {
    fn default() -> Self {
        Self::Int(0)
    }
}

#[derive(Debug, Default)]
struct Read {
    count: Number,
    zero_count: Number,
    sum: f64,
    schema: i32,
    zero_threshold: f64,
    negative: Side,
    positive: Side,
    bounds: Bounds,
    at_ms: i64,
    start_ms: i64,
}

/// The buckets of one sign, added up.
#[derive(Debug, Default)]
struct Side {
    spans: usize,
    /// Buckets that the spans have together.
    spanned: u64,
    /// The index behind the last span.
    end: i64,
    starts_below_zero: bool,
    goes_back: bool,
    leaves_range: bool,
    deltas: u64,
    last: i64,
    observations: u64,
    is_negative: bool,
    overflows: bool,
    counts: u64,
    has_negative_count: bool,
}

/// Custom bounds, compared one by one.
#[derive(Debug, Default)]
struct Bounds {
    count: u64,
    last: f64,
    has_nan: bool,
    falls: bool,
}

impl Read {
    fn message(&mut self, message: &[u8]) -> Result<(), Malformed> {
        let mut reader = Reader(message);
        while let Some((number, field)) = reader.field()? {
            match number {
                1 => self.count = Number::Int(field.varint()?),
                2 => self.count = Number::Float(field.double()?),
                3 => self.sum = field.double()?,
                4 => self.schema = field.sint32()?,
                5 => self.zero_threshold = field.double()?,
                6 => self.zero_count = Number::Int(field.varint()?),
                7 => self.zero_count = Number::Float(field.double()?),
                8 => self.negative.span(field)?,
                9 => field.each_sint64(|delta| self.negative.delta(delta))?,
                10 => field.each_double(|count| self.negative.count(count))?,
                11 => self.positive.span(field)?,
                12 => field.each_sint64(|delta| self.positive.delta(delta))?,
                13 => field.each_double(|count| self.positive.count(count))?,
                14 => {
                    field.varint()?;
                }
                15 => self.at_ms = field.int64()?,
                16 => field.each_double(|bound| self.bounds.add(bound))?,
                17 => self.start_ms = field.int64()?,
                _ => {}
            }
        }
        Ok(())
    }

    fn check(&self) -> Result<Checked, String> {
        if self.schema == CUSTOM_BUCKETS {
            self.check_custom()?;
        } else if EXPONENTIAL.contains(&self.schema) {
            self.check_exponential()?;
        } else {
            return Err(format!(
                "schema {} is not known; it can be -4 to 8, or {CUSTOM_BUCKETS} for custom buckets",
                self.schema
            ));
        }
        match self.count {
            Number::Int(count) => self.check_integers(count)?,
            Number::Float(count) => self.check_floats(count)?,
        }
        let buckets = self.negative.spanned + self.positive.spanned;
        Ok(Checked {
            at_ms: self.at_ms,
            has_start: self.start_ms != 0,
            buckets: usize::try_from(buckets).unwrap_or(usize::MAX),
        })
    }

    fn check_exponential(&self) -> Result<(), String> {
        if self.bounds.count > 0 {
            return Err(format!(
                "custom_values belong to schema {CUSTOM_BUCKETS}, and this one has schema {}",
                self.schema
            ));
        }
        self.positive.check_spans("positive")?;
        self.negative.check_spans("negative")
    }

    fn check_custom(&self) -> Result<(), String> {
        let Bounds {
            count,
            last,
            has_nan,
            falls,
        } = self.bounds;
        if has_nan {
            return Err("a custom bound is NaN".to_owned());
        }
        if falls {
            return Err("custom bounds must rise, each above the one before it".to_owned());
        }
        if last == f64::INFINITY {
            return Err("the custom bound +Inf is implied and must not be listed".to_owned());
        }
        let zero = match self.zero_count {
            Number::Int(zero) => zero == 0,
            Number::Float(zero) => zero == 0.0,
        };
        if !zero || self.zero_threshold != 0.0 {
            return Err("custom buckets have no zero bucket".to_owned());
        }
        if self.negative.spans > 0 || self.negative.deltas > 0 || self.negative.counts > 0 {
            return Err("custom buckets have no negative ones".to_owned());
        }
        self.positive.check_spans("positive")?;
        if self.positive.starts_below_zero {
            return Err("the first span of custom buckets has a negative offset".to_owned());
        }
        let end = u64::try_from(self.positive.end).unwrap_or_default();
        if end > count + 1 {
            return Err(format!(
                "{count} custom bounds make {} buckets, but the spans reach {end}",
                count + 1
            ));
        }
        Ok(())
    }

    fn check_integers(&self, count: u64) -> Result<(), String> {
        let mut total = match self.zero_count {
            Number::Int(zero) => Some(zero),
            Number::Float(_) => Some(0),
        };
        for (name, side) in [("positive", &self.positive), ("negative", &self.negative)] {
            side.check_number(name, side.deltas, "deltas")?;
            if side.is_negative {
                return Err(format!("a {name} bucket has a negative count"));
            }
            total = total
                .filter(|_| !side.overflows)
                .and_then(|total| total.checked_add(side.observations));
        }
        let Some(total) = total else {
            return Err("the buckets' counts together have more than 64 bits".to_owned());
        };
        // Observations that are NaN are in no bucket, and make the sum NaN.
        if total > count || (total != count && !self.sum.is_nan()) {
            return Err(format!(
                "the buckets have {total} observations, but count is {count}"
            ));
        }
        Ok(())
    }

    fn check_floats(&self, count: f64) -> Result<(), String> {
        if count < 0.0 {
            return Err(format!("count is {count}; it cannot be negative"));
        }
        if let Number::Float(zero) = self.zero_count
            && zero < 0.0
        {
            return Err(format!("zero_count is {zero}; it cannot be negative"));
        }
        for (name, side) in [("positive", &self.positive), ("negative", &self.negative)] {
            side.check_number(name, side.counts, "counts")?;
            if side.has_negative_count {
                return Err(format!("a {name} bucket has a negative count"));
            }
        }
        Ok(())
    }
}

impl Side {
    fn span(&mut self, field: Value<'_>) -> Result<(), Malformed> {
        let (mut offset, mut length) = (0, 0);
        let mut reader = Reader(field.bytes()?);
        while let Some((number, field)) = reader.field()? {
            match number {
                1 => offset = field.sint32()?,
                2 => length = field.uint32()?,
                _ => {}
            }
        }
        if offset < 0 {
            if self.spans == 0 {
                self.starts_below_zero = true;
            } else {
                self.goes_back = true;
            }
        }
        self.spans += 1;
        self.spanned += u64::from(length);
        // A body has too few spans for this to wrap.
        self.end += i64::from(offset) + i64::from(length);
        self.leaves_range |= offset == i32::MIN || self.end - 1 > i64::from(i32::MAX);
        Ok(())
    }

    fn delta(&mut self, delta: i64) {
        self.deltas += 1;
        let count = self.last.checked_add(delta);
        self.last = count.unwrap_or_default();
        match u64::try_from(self.last) {
            Ok(count) => match self.observations.checked_add(count) {
                Some(observations) => self.observations = observations,
                None => self.overflows = true,
            },
            Err(_) => self.is_negative = true,
        }
        self.overflows |= count.is_none();
    }

    fn count(&mut self, count: f64) {
        self.counts += 1;
        self.has_negative_count |= count < 0.0;
    }

    fn check_spans(&self, name: &str) -> Result<(), String> {
        if self.goes_back {
            return Err(format!(
                "a {name} span behind the first has a negative offset"
            ));
        }
        if self.leaves_range {
            return Err(format!("the {name} spans reach beyond 32-bit indices"));
        }
        Ok(())
    }

    fn check_number(&self, name: &str, found: u64, what: &str) -> Result<(), String> {
        if self.spanned == found {
            return Ok(());
        }
        Err(format!(
            "the {name} spans have {} buckets, but there are {found} {what}",
            self.spanned
        ))
    }
}

impl Bounds {
    fn add(&mut self, bound: f64) {
        self.has_nan |= bound.is_nan();
        self.falls |= self.count > 0 && bound <= self.last;
        self.count += 1;
        self.last = bound;
    }
}
