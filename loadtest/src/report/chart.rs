//! Plots as SVG: lines, dots and bars, drawn with the page's own colours so that they follow its theme.

mod axis;
mod bars;

use std::fmt::Write as _;

pub(super) use self::axis::{Axis, Scale};
pub(super) use self::bars::{Bars, Measured};
use super::page::escape;

/// The drawing's size, in its own units: about as wide as a phone, so that text stays readable there.
const WIDTH: f64 = 480.0;
const HEIGHT: f64 = 300.0;
/// Room for the axes' numbers and names.
const LEFT: f64 = 62.0;
const RIGHT: f64 = 14.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 44.0;

/// More dots than these hide their line.
const MOST_DOTS: usize = 12;

/// A plot of series over two axes.
#[derive(Debug)]
pub(super) struct Chart {
    pub(super) title: String,
    /// What a reader should see in it.
    pub(super) about: String,
    pub(super) x: Axis,
    pub(super) y: Axis,
    pub(super) series: Vec<Series>,
    /// Whether points are joined.
    pub(super) joined: bool,
}

/// One subject's points.
#[derive(Debug, Clone)]
pub(super) struct Series {
    pub(super) name: String,
    /// The number of its colour.
    pub(super) colour: usize,
    pub(super) points: Vec<(f64, f64)>,
}

impl Chart {
    /// The drawing. Its legend is not in it: see [`Self::legend`].
    pub(super) fn svg(&self) -> String {
        let points = || self.series.iter().flat_map(|series| &series.points);
        let x = self.x.fit(points().map(|(x, _)| *x), (LEFT, WIDTH - RIGHT));
        let y = self
            .y
            .fit(points().map(|(_, y)| *y), (HEIGHT - BOTTOM, TOP));
        let mut svg = open(&self.title, HEIGHT);
        for (at, text) in y.ticks() {
            rule(&mut svg, (LEFT, at), (WIDTH - RIGHT, at));
            label(&mut svg, (LEFT - 6.0, at + 4.0), "end", &text);
        }
        for (at, text) in x.ticks() {
            rule(&mut svg, (at, TOP), (at, HEIGHT - BOTTOM));
            label(&mut svg, (at, HEIGHT - BOTTOM + 16.0), "middle", &text);
        }
        let middle = f64::midpoint(LEFT, WIDTH - RIGHT);
        label(&mut svg, (middle, HEIGHT - 8.0), "middle", &self.x.name);
        let at = f64::midpoint(TOP, HEIGHT - BOTTOM);
        _ = write!(
            svg,
            r#"<text class="t" text-anchor="middle" transform="translate(13 {at:.1}) rotate(-90)">{}</text>"#,
            escape(&self.y.name)
        );
        for series in &self.series {
            let places: Vec<_> = series
                .points
                .iter()
                .filter_map(|(at, value)| Some((x.place(*at)?, y.place(*value)?)))
                .collect();
            self.draw(&mut svg, series, &places);
        }
        svg.push_str("</svg>");
        svg
    }

    fn draw(&self, svg: &mut String, series: &Series, places: &[(f64, f64)]) {
        let colour = series.colour;
        if self.joined {
            let places: Vec<_> = places
                .iter()
                .map(|(x, y)| format!("{x:.1},{y:.1}"))
                .collect();
            _ = write!(
                svg,
                r#"<polyline class="l c{colour}" points="{}"/>"#,
                places.join(" ")
            );
        }
        if places.len() <= MOST_DOTS {
            for (x, y) in places {
                _ = write!(
                    svg,
                    r#"<circle class="d c{colour}" cx="{x:.1}" cy="{y:.1}" r="4"><title>{}</title></circle>"#,
                    escape(&series.name)
                );
            }
        }
    }

    /// Names with the numbers of their colours.
    pub(super) fn legend(&self) -> Vec<(usize, &str)> {
        let series = self.series.iter();
        series
            .map(|series| (series.colour, series.name.as_str()))
            .collect()
    }
}

fn open(title: &str, height: f64) -> String {
    format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{}">"#,
        escape(title)
    )
}

fn rule(svg: &mut String, from: (f64, f64), to: (f64, f64)) {
    _ = write!(
        svg,
        r#"<line class="g" x1="{:.1}" y1="{:.1}" x2="{:.1}" y2="{:.1}"/>"#,
        from.0, from.1, to.0, to.1
    );
}

fn label(svg: &mut String, (x, y): (f64, f64), anchor: &str, text: &str) {
    _ = write!(
        svg,
        r#"<text class="t" x="{x:.1}" y="{y:.1}" text-anchor="{anchor}">{}</text>"#,
        escape(text)
    );
}
