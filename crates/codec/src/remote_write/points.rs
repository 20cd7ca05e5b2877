//! The float samples of a request: one list, in which each series has a chain of its own.
//!
//! Samples of a series come in the order of time nearly always, so that putting them together by series needs no sort.

use model::Point;

/// Behind the last sample.
const END: u32 = u32::MAX;

/// The samples of one series.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chain {
    first: u32,
    last: u32,
    /// Whether no sample is older than the one before it.
    is_sorted: bool,
}

impl Default for Chain {
    fn default() -> Self {
        Self {
            first: END,
            last: END,
            is_sorted: true,
        }
    }
}

impl Chain {
    pub(super) fn is_empty(self) -> bool {
        self.first == END
    }
}

/// The samples of all series, each with the place of its series' next one.
#[derive(Debug, Default)]
pub(super) struct Points(Vec<(Point, u32)>);

impl Points {
    /// Begins a series that has one sample.
    #[inline(always)]
    pub(super) fn start(&mut self, point: Point) -> Chain {
        let at = place(self.0.len());
        self.0.push((point, END));
        Chain {
            first: at,
            last: at,
            is_sorted: true,
        }
    }

    /// Adds samples to a series.
    pub(super) fn append(&mut self, chain: &mut Chain, points: &[Point]) {
        for point in points {
            let at = place(self.0.len());
            match self.0.get_mut(chain.last as usize) {
                Some((before, next)) => {
                    chain.is_sorted &= before.at_ms <= point.at_ms;
                    *next = at;
                }
                None => chain.first = at,
            }
            chain.last = at;
            self.0.push((*point, END));
        }
    }

    /// The samples of a series.
    pub(super) fn of(&self, chain: Chain) -> impl Iterator<Item = &Point> {
        let mut at = chain.first;
        std::iter::from_fn(move || {
            let (point, next) = self.0.get(at as usize)?;
            at = *next;
            Some(point)
        })
    }

    /// The sample of a series that has one and no more.
    #[inline]
    pub(super) fn only(&self, chain: Chain) -> Option<&Point> {
        let (point, _) = self.0.get(chain.first as usize)?;
        (chain.first == chain.last).then_some(point)
    }

    /// Puts the samples of a series into the order of time. Those of one time keep theirs.
    #[inline]
    pub(super) fn sort(&mut self, chain: &mut Chain) {
        if !chain.is_sorted {
            self.put_in_order(chain);
        }
    }

    #[cold]
    fn put_in_order(&mut self, chain: &mut Chain) {
        let mut sorted: Vec<Point> = self.of(*chain).copied().collect();
        sorted.sort_by_key(|point| point.at_ms);
        let mut at = chain.first;
        for point in sorted {
            if let Some((place, next)) = self.0.get_mut(at as usize) {
                *place = point;
                at = *next;
            }
        }
        chain.is_sorted = true;
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

#[inline(always)]
fn place(at: usize) -> u32 {
    u32::try_from(at).expect("a request has less than 2^32 samples")
}
