//! Values that look like load: a day's tide, a shorter swell, noise.

use std::f64::consts::TAU;

use rand::RngExt as _;
use rand::rngs::StdRng;

const DAY_S: f64 = 86_400.0;

/// A level that moves around a base.
#[derive(Debug, Clone)]
pub(crate) struct Level {
    base: f64,
    swing: f64,
    swell_s: f64,
    phase: f64,
}

impl Level {
    /// Around `base`, up to about `swing` away.
    pub(crate) fn new(base: f64, swing: f64, rng: &mut StdRng) -> Self {
        Self {
            base,
            swing,
            swell_s: rng.random_range(120.0..600.0),
            phase: rng.random_range(0.0..TAU),
        }
    }

    /// Never below 0.
    pub(crate) fn at(&self, seconds: f64, rng: &mut StdRng) -> f64 {
        let tide = ((seconds / DAY_S) * TAU).sin() * 0.4;
        let swell = ((seconds / self.swell_s) * TAU + self.phase).sin() * 0.4;
        let noise = rng.random_range(-0.2..0.2);
        (self.swing.mul_add(tide + swell + noise, self.base)).max(0.0)
    }
}

/// Something that is counted, at a rate that moves.
#[derive(Debug, Clone)]
pub(crate) struct Count {
    rate: Level,
    total: f64,
    last_s: Option<f64>,
}

impl Count {
    /// So many per second, give or take `swing`.
    pub(crate) fn new(per_second: f64, swing: f64, rng: &mut StdRng) -> Self {
        Self {
            rate: Level::new(per_second, swing, rng),
            total: 0.0,
            last_s: None,
        }
    }

    /// How many there were since the last time; the first time, in a second.
    pub(crate) fn more(&mut self, seconds: f64, rng: &mut StdRng) -> f64 {
        let elapsed_s = self.last_s.map_or(1.0, |last| (seconds - last).max(0.0));
        self.last_s = Some(seconds);
        let more = (self.rate.at(seconds, rng) * elapsed_s).round();
        self.total += more;
        more
    }

    /// All of them, those since the last time included.
    pub(crate) fn total(&mut self, seconds: f64, rng: &mut StdRng) -> f64 {
        self.more(seconds, rng);
        self.total
    }
}

/// A duration in seconds: most are near `typical_s`, a few are much longer.
pub(crate) fn duration_s(typical_s: f64, rng: &mut StdRng) -> f64 {
    // The sum of so many uniform numbers is nearly normal, with a deviation of 1.
    let normal: f64 = (0..12).map(|_| rng.random::<f64>()).sum::<f64>() - 6.0;
    typical_s * (0.6 * normal).exp()
}
