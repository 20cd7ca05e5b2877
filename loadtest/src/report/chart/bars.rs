//! Horizontal bars on a logarithmic scale: rates that are a hundred times apart stay readable.

use std::fmt::Write as _;

use super::axis::{Axis, Scale};
use super::{RIGHT, WIDTH, label, open, rule};
use crate::report::figures::short;

/// The height of a bar with its name above.
const ROW: f64 = 34.0;
const BAR: f64 = 11.0;
/// Room for the numbers of the axis.
const FOOT: f64 = 24.0;
/// Room for a bar's own number.
const NUMBER: f64 = 56.0;

/// A plot of one number per name.
#[derive(Debug)]
pub(in crate::report) struct Bars {
    pub(in crate::report) title: String,
    pub(in crate::report) about: String,
    pub(in crate::report) bars: Vec<Measured>,
}

/// One bar.
#[derive(Debug, Clone)]
pub(in crate::report) struct Measured {
    pub(in crate::report) name: String,
    pub(in crate::report) colour: usize,
    pub(in crate::report) value: f64,
}

impl Bars {
    /// The drawing.
    pub(in crate::report) fn svg(&self) -> String {
        let foot = ROW * self.bars.len() as f64 + 4.0;
        let axis = Axis::new("", Scale::Log);
        let values = self.bars.iter().map(|bar| bar.value);
        // The smallest bar is still a bar.
        let least = values.clone().fold(f64::MAX, f64::min) / 2.0;
        let fitted = axis.fit(values.chain([least]), (0.0, WIDTH - RIGHT - NUMBER));
        let mut svg = open(&self.title, foot + FOOT);
        for (at, text) in fitted.ticks() {
            rule(&mut svg, (at, 0.0), (at, foot));
            label(&mut svg, (at.max(14.0), foot + 16.0), "middle", &text);
        }
        for (number, bar) in (0_u32..).zip(&self.bars) {
            let top = f64::from(number) * ROW;
            let width = fitted.place(bar.value).unwrap_or(0.0);
            label(&mut svg, (2.0, top + 14.0), "start", &bar.name);
            _ = write!(
                svg,
                r#"<rect class="b c{}" x="0" y="{:.1}" width="{width:.1}" height="{BAR}" rx="2"/>"#,
                bar.colour,
                top + 19.0
            );
            label(
                &mut svg,
                (width + 6.0, top + 29.0),
                "start",
                &short(bar.value),
            );
        }
        svg.push_str("</svg>");
        svg
    }
}
