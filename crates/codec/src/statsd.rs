//! StatsD lines and what DogStatsD adds to them, borrowed from the packet.
//!
//! Reading allocates nothing but where a name has tags in its middle. A bad line is handed on with its reason and
//! never hides the lines beside it. Four ways to write tags are read: `|#k:v` (DogStatsD), `name,k=v` (Telegraf),
//! `name;k=v` (Graphite), and `name#k=v` or `name[k=v]` (Librato, SignalFx).

mod tags;

use std::borrow::Cow;

use crate::decoded::Ignored;
pub use tags::Tags;

/// What a sample is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `c`: events to add up.
    Counter,
    /// `m`: a meter, which counts events too.
    Meter,
    /// `g`: the last value holds.
    Gauge,
    /// `ms`: milliseconds that something took.
    Timer,
    /// `h`: observations.
    Histogram,
    /// `d`: observations that DogStatsD adds up over all hosts.
    Distribution,
    /// `s`: how many different texts there were.
    Set,
}

/// One number of a sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Number {
    /// Finite.
    pub value: f64,
    /// Whether it was written with `+` or `-`, which makes a gauge's number a difference.
    pub is_signed: bool,
}

/// What one line says; several of them where a line repeats `value|type` after a colon.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample<'a> {
    /// The name without the tags in it; never empty.
    pub name: Cow<'a, str>,
    /// The tags.
    pub tags: Tags<'a>,
    /// The sender's own time of a counter or gauge in Unix seconds, at least 1.
    pub at_s: Option<i64>,
    /// What is said of it.
    pub reading: Reading<'a>,
}

/// What a line says of its series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reading<'a> {
    /// The type.
    pub kind: Kind,
    /// The value as it was written: what a set counts.
    pub text: &'a str,
    /// Above 0 and at most 1: the share of events that the sender told about.
    pub rate: f64,
    first: Number,
    packed: &'a str,
}

impl<'a> Reading<'a> {
    /// The numbers, in their order: one, or more where the sender packed them. A set's has no meaning.
    pub fn numbers(&self) -> impl Iterator<Item = Number> + use<'a> {
        let packed = Some(self.packed).filter(|packed| !packed.is_empty());
        let others = packed.into_iter().flat_map(|packed| packed.split(':'));
        std::iter::once(self.first).chain(others.filter_map(number))
    }

    /// The same with another value, as a line has it that differs in nothing else.
    ///
    /// # Errors
    /// When the value is none.
    pub fn with_value<'b>(&self, value: &'b [u8]) -> Result<Reading<'b>, Reason> {
        let text = std::str::from_utf8(value).map_err(|_| Reason::NotText)?;
        let (first, packed) = numbers(self.kind, text)?;
        Ok(Reading {
            kind: self.kind,
            text,
            rate: self.rate,
            first,
            packed,
        })
    }
}

/// A line in three: what names it and what follows its first value are the same whenever a series is told again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parts<'a> {
    /// Before the first colon.
    pub head: &'a [u8],
    /// Between them.
    pub value: &'a [u8],
    /// From the first bar after that colon on.
    pub tail: &'a [u8],
}

impl<'a> Parts<'a> {
    /// Parts a line; none where it has no value.
    #[must_use]
    pub fn of(line: &'a [u8]) -> Option<Self> {
        let (head, rest) = line.split_at_checked(memchr::memchr(b':', line)?)?;
        let rest = rest.get(1..)?;
        let (value, tail) = rest.split_at_checked(memchr::memchr(b'|', rest)?)?;
        Some(Self { head, value, tail })
    }
}

/// Why a line is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// It has no colon.
    NoValue,
    /// Nothing stands before the colon.
    NameMissing,
    /// It is not UTF-8.
    NotText,
    /// The value is not a finite number.
    ValueInvalid,
    /// No type follows the value.
    TypeMissing,
    /// The type is none of c, m, g, ms, h, d, s.
    TypeUnknown,
    /// The sample rate is not a number above 0 and at most 1.
    RateInvalid,
    /// The timestamp is not a number of Unix seconds.
    TimestampInvalid,
    /// Something follows the type that no dialect has.
    SectionInvalid,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Self; 9] = [
        Self::NoValue,
        Self::NameMissing,
        Self::NotText,
        Self::ValueInvalid,
        Self::TypeMissing,
        Self::TypeUnknown,
        Self::RateInvalid,
        Self::TimestampInvalid,
        Self::SectionInvalid,
    ];

    /// The label `reason` in metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoValue => "no_value",
            Self::NameMissing => "name_missing",
            Self::NotText => "not_text",
            Self::ValueInvalid => "value_invalid",
            Self::TypeMissing => "type_missing",
            Self::TypeUnknown => "type_unknown",
            Self::RateInvalid => "rate_invalid",
            Self::TimestampInvalid => "timestamp_invalid",
            Self::SectionInvalid => "section_invalid",
        }
    }
}

/// What a line came to.
#[derive(Debug, Clone, PartialEq)]
pub enum Found<'a> {
    /// A sample.
    Sample(Sample<'a>),
    /// Something that is no metric.
    Ignored(Ignored),
    /// Nothing that can be read.
    Bad(Reason),
}

/// The lines of a packet, in order. Empty ones are none.
pub fn lines(packet: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(packet);
    std::iter::from_fn(move || {
        let packet = rest.take()?;
        let end = memchr::memchr(b'\n', packet);
        let (line, others) = packet.split_at(end.unwrap_or(packet.len()));
        rest = others.get(1..);
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    })
    .filter(|line| !line.is_empty())
}

/// Reads every line of a packet, in order, and hands each with what it came to to `each`.
pub fn decode<'a>(packet: &'a [u8], mut each: impl FnMut(&'a [u8], Found<'a>)) {
    for line in lines(packet) {
        decode_line(line, |found| each(line, found));
    }
}

/// Reads a line and hands what it came to to `each`: once, or for each `value|type` that it repeats.
pub fn decode_line<'a>(line: &'a [u8], mut each: impl FnMut(Found<'a>)) {
    match std::str::from_utf8(line) {
        Ok(text) => read(text, &mut each),
        Err(_) => each(Found::Bad(Reason::NotText)),
    }
}

fn read<'a>(line: &'a str, each: &mut impl FnMut(Found<'a>)) {
    if line.starts_with("_e{") {
        return each(Found::Ignored(Ignored::Event));
    }
    if line.starts_with("_sc|") {
        return each(Found::Ignored(Ignored::ServiceCheck));
    }
    let Some((head, mut rest)) = line.split_once(':') else {
        return each(Found::Bad(Reason::NoValue));
    };
    let (name, tags) = Tags::of_name(head);
    if name.is_empty() {
        return each(Found::Bad(Reason::NameMissing));
    }
    loop {
        match sample(&name, tags, rest) {
            Ok((sample, more)) => {
                each(Found::Sample(sample));
                match more {
                    Some(more) => rest = more,
                    None => return,
                }
            }
            Err(reason) => return each(Found::Bad(reason)),
        }
    }
}

/// Reads `value|type`, and what follows up to the next `value|type`, which is handed back.
fn sample<'a>(
    name: &Cow<'a, str>,
    tags: Tags<'a>,
    rest: &'a str,
) -> Result<(Sample<'a>, Option<&'a str>), Reason> {
    let (text, after) = rest.split_once('|').ok_or(Reason::TypeMissing)?;
    let (kind_text, mut sections) = match after.split_once('|') {
        Some((kind_text, sections)) => (kind_text, Some(sections)),
        None => (after, None),
    };
    let mut more = None;
    let kind_text = match kind_text.split_once(':') {
        Some((kind_text, _)) => {
            more = after.split_once(':').map(|(_, more)| more);
            sections = None;
            kind_text
        }
        None => kind_text,
    };
    let kind = kind(kind_text)?;
    let (first, packed) = numbers(kind, text)?;
    let mut sample = Sample {
        name: name.clone(),
        tags,
        at_s: None,
        reading: Reading {
            kind,
            text,
            rate: 1.0,
            first,
            packed,
        },
    };
    while let Some(left) = sections {
        let (section, others) = match left.split_once('|') {
            Some((section, others)) => (section, Some(others)),
            None => (left, None),
        };
        sections = others;
        if let Some(rate_text) = section.strip_prefix('@') {
            let rate_text = match rate_text.split_once(':') {
                Some((rate_text, _)) => {
                    more = left.split_once(':').map(|(_, more)| more);
                    sections = None;
                    rate_text
                }
                None => rate_text,
            };
            sample.reading.rate = rate(rate_text)?;
        } else if let Some(after) = section.strip_prefix('#') {
            sample.tags = sample.tags.with_section(after);
        } else if let Some(time) = section.strip_prefix('T') {
            let at_s = time.parse().ok().filter(|at_s| *at_s > 0);
            let at_s = at_s.ok_or(Reason::TimestampInvalid)?;
            // Only of these two the protocol has a time.
            sample.at_s = Some(at_s).filter(|_| matches!(kind, Kind::Counter | Kind::Gauge));
        } else if !is_named(section) {
            return Err(Reason::SectionInvalid);
        }
    }
    Ok((sample, more))
}

/// Whether a section names itself, as the container (`c:`), external data (`e:`) and cardinality (`card:`) do, which
/// mean nothing here; so will sections of later versions of the protocol.
fn is_named(section: &str) -> bool {
    section
        .split_once(':')
        .is_some_and(|(name, _)| !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase()))
}

fn kind(text: &str) -> Result<Kind, Reason> {
    Ok(match text {
        "c" => Kind::Counter,
        "g" => Kind::Gauge,
        "ms" => Kind::Timer,
        "h" => Kind::Histogram,
        "d" => Kind::Distribution,
        "s" => Kind::Set,
        "m" => Kind::Meter,
        "" => return Err(Reason::TypeMissing),
        _ => return Err(Reason::TypeUnknown),
    })
}

/// The first number, and the text of the others, all of which are numbers.
fn numbers(kind: Kind, text: &str) -> Result<(Number, &str), Reason> {
    if kind == Kind::Set {
        let none = Number {
            value: 0.0,
            is_signed: false,
        };
        return if text.is_empty() {
            Err(Reason::ValueInvalid)
        } else {
            Ok((none, ""))
        };
    }
    let (first, packed) = text.split_once(':').unwrap_or((text, ""));
    let is_good = text.len() == first.len() || packed.split(':').all(|it| number(it).is_some());
    match number(first) {
        Some(first) if is_good => Ok((first, packed)),
        Some(_) | None => Err(Reason::ValueInvalid),
    }
}

fn number(text: &str) -> Option<Number> {
    let is_signed = text.starts_with(['+', '-']);
    let value: f64 = text.parse().ok()?;
    value.is_finite().then_some(Number { value, is_signed })
}

fn rate(text: &str) -> Result<f64, Reason> {
    let rate = number(text).ok_or(Reason::RateInvalid)?.value;
    if rate > 0.0 && rate <= 1.0 {
        Ok(rate)
    } else {
        Err(Reason::RateInvalid)
    }
}

#[cfg(test)]
mod tests;
