//! What a reader wants of a store that can be read, and where it gets it.
//!
//! A store gives each series and then its samples; the reader keeps what it needs and can stop at any of them, so that
//! nothing here holds more than the piece that it is at.

use std::sync::Arc;

use model::MetricType;

/// A series as a store has it.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// The metric name.
    pub metric: &'a str,
    /// The other labels, sorted by name.
    pub labels: &'a [(&'a str, &'a str)],
    /// Whose samples they are.
    pub tenant: Option<&'a str>,
    /// What its sender said it is, where the store remembers.
    pub kind: MetricType,
    /// In what its sender said it is measured, where the store remembers.
    pub unit: Option<&'a str>,
    /// The sentence for people that came with it, where the store remembers.
    pub help: Option<&'a str>,
}

/// Which metric names are wanted.
#[derive(Clone)]
pub enum Names {
    /// This one.
    One(Arc<str>),
    /// Those that this says yes to.
    Some(Arc<dyn Fn(&str) -> bool + Send + Sync>),
}

impl std::fmt::Debug for Names {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::One(name) => f.debug_tuple("One").field(name).finish(),
            Self::Some(_) => f.write_str("Some"),
        }
    }
}

impl Names {
    /// Whether this name is.
    #[must_use]
    pub fn want(&self, name: &str) -> bool {
        match self {
            Self::One(wanted) => **wanted == *name,
            Self::Some(want) => want(name),
        }
    }
}

/// The reader has enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stopped;

/// A reader.
pub trait Select {
    /// Which metric names.
    fn names(&self) -> Names;

    /// From when to when, milliseconds since the Unix epoch, both included.
    fn range(&self) -> (i64, i64);

    /// Samples of this series come next, at least one. The same series may come again.
    ///
    /// # Errors
    /// To stop.
    fn series(&mut self, seen: &Seen<'_>) -> Result<Wanted, Stopped>;

    /// A sample of it; the order is the store's.
    ///
    /// # Errors
    /// To stop.
    fn sample(&mut self, at_ms: i64, value: f64) -> Result<(), Stopped>;

    /// Called again and again while there may be nothing to give.
    ///
    /// # Errors
    /// To stop.
    fn go_on(&mut self) -> Result<(), Stopped>;
}

/// What a reader wants of a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// Its samples.
    Samples,
    /// Nothing more.
    Nothing,
}
