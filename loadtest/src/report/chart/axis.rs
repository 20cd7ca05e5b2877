//! Axes: where a value is drawn, and where its grid is.

use crate::report::figures::short;

/// How values are spread.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::report) enum Scale {
    /// From 0 on.
    Linear,
    /// By powers of ten; what is not above 0 is not drawn.
    Log,
    /// One place after the other, with these names: the first is at 0.
    Steps(Vec<String>),
}

/// An axis as it is wanted.
#[derive(Debug, Clone)]
pub(in crate::report) struct Axis {
    pub(in crate::report) name: String,
    pub(in crate::report) scale: Scale,
}

/// An axis that holds all values.
pub(super) struct Fitted<'a> {
    scale: &'a Scale,
    /// The ends in values (in powers of ten if logarithmic) and in the drawing.
    from: (f64, f64),
    to: (f64, f64),
}

impl Axis {
    pub(in crate::report) fn new(name: &str, scale: Scale) -> Self {
        Self {
            name: name.to_owned(),
            scale,
        }
    }

    /// Spreads the values between two places of the drawing.
    pub(super) fn fit(&self, values: impl Iterator<Item = f64>, places: (f64, f64)) -> Fitted<'_> {
        let (mut least, mut most) = (f64::MAX, f64::MIN);
        for value in values {
            if let Some(value) = position(&self.scale, value) {
                (least, most) = (least.min(value), most.max(value));
            }
        }
        if least > most {
            (least, most) = (0.0, 1.0);
        }
        let (least, most) = match &self.scale {
            Scale::Linear => (0.0, if most > 0.0 { most * 1.08 } else { 1.0 }),
            // A little room, and never less than a third of a power.
            Scale::Log => {
                let room = ((1.0 / 3.0 - (most - least)) / 2.0).max(0.06);
                (least - room, most + room)
            }
            Scale::Steps(names) => (-0.3, (names.len() as f64 - 0.7).max(0.3)),
        };
        Fitted {
            scale: &self.scale,
            from: (least, places.0),
            to: (most, places.1),
        }
    }
}

fn position(scale: &Scale, value: f64) -> Option<f64> {
    match scale {
        Scale::Log => (value > 0.0).then(|| value.log10()),
        Scale::Linear | Scale::Steps(_) => value.is_finite().then_some(value),
    }
}

impl Fitted<'_> {
    /// Where a value is in the drawing, if it can be drawn.
    pub(super) fn place(&self, value: f64) -> Option<f64> {
        Some(self.at(position(self.scale, value)?))
    }

    fn at(&self, position: f64) -> f64 {
        let part = (position - self.from.0) / (self.to.0 - self.from.0);
        self.from.1 + part * (self.to.1 - self.from.1)
    }

    /// Places with what is written there.
    pub(super) fn ticks(&self) -> Vec<(f64, String)> {
        let (least, most) = (self.from.0, self.to.0);
        match self.scale {
            Scale::Steps(names) => (0..)
                .zip(names)
                .map(|(number, name)| (self.at(f64::from(number)), name.clone()))
                .collect(),
            Scale::Linear => {
                let step = step((most - least) / 4.0);
                multiples(step, least, most)
                    .map(|value| (self.at(value), short(value)))
                    .collect()
            }
            Scale::Log => {
                // With few powers, parts of them too.
                let parts: &[f64] = match most - least {
                    span if span > 2.5 => &[1.0],
                    span if span > 1.2 => &[1.0, 3.0],
                    _ => &[1.0, 2.0, 5.0],
                };
                let powers = multiples(1.0, least.floor(), most);
                powers
                    .flat_map(|power| parts.iter().map(move |part| part * 10_f64.powf(power)))
                    .filter(|value| (least..=most).contains(&value.log10()))
                    .map(|value| (self.at(value.log10()), short(value)))
                    .collect()
            }
        }
    }
}

/// 1, 2 or 5 times a power of ten, at least this.
fn step(least: f64) -> f64 {
    let power = 10_f64.powf(least.log10().floor());
    let factors = [1.0, 2.0, 5.0];
    let fits = factors.iter().find(|factor| **factor * power >= least);
    fits.copied().unwrap_or(10.0) * power
}

fn multiples(step: f64, least: f64, most: f64) -> impl Iterator<Item = f64> {
    let first = (least / step).ceil();
    (0..100)
        .map(move |number| (first + f64::from(number)) * step)
        .take_while(move |value| *value <= most + step * 1e-9)
}
