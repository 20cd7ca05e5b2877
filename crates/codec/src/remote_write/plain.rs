//! Series as nearly all are, written when they come: labels, one float sample, and nothing else.

use model::{Point, SeriesView};

use super::repeats::Written;
use super::{Encoder, Version, find, taken, v1, v2};
use crate::protobuf::{delimited, put_head, put_sample_within, sample_len};

impl Encoder {
    /// Writes a series with its only sample; answers whether it could because the series is new.
    #[inline(always)]
    pub(super) fn write_plain(&mut self, view: SeriesView<'_>, point: &Point) -> bool {
        match self.version {
            Version::V1 => self.write_as::<false>(view, point),
            Version::V2 => self.write_as::<true>(view, point),
        }
    }

    /// Each version has code of its own: what they have in common is called for each sample.
    #[inline(never)]
    fn write_as<const IS_V2: bool>(&mut self, view: SeriesView<'_>, point: &Point) -> bool {
        let version = if IS_V2 { Version::V2 } else { Version::V1 };
        match version {
            Version::V1 => self.labels.change_to(view),
            Version::V2 => self.refs.change_to(view, &mut self.symbols),
        }
        let labels = taken(version, &self.labels, &self.refs);
        let Err(place) = find(&self.numbers, &self.series, &self.request, labels) else {
            // Whatever comes of it: what was taken last are not the labels that were written last.
            self.is_written = false;
            return false;
        };
        let hash = labels.hash;
        let written = put_only(&mut self.request, version, &labels.encoded, point);
        if let Some(repeats) = &mut self.repeats {
            let places = match version {
                Version::V1 => self.labels.places(),
                Version::V2 => &[],
            };
            repeats.add(&self.request, written, labels.changed.clone(), places);
        }
        self.request.truncate(written.end);
        let points = self.points.start(*point);
        self.add(place, written.labels(), hash, points);
        true
    }
}

/// Writes a series with its only sample, and some bytes more, which are to be cut off: so it can be read in whole words.
#[inline(always)]
pub(super) fn put_only(
    request: &mut Vec<u8>,
    version: Version,
    labels: &[u8],
    point: &Point,
) -> Written {
    let (field, with_start) = match version {
        Version::V1 => (v1::TIMESERIES, false),
        Version::V2 => (v2::TIMESERIES, true),
    };
    let content = labels.len() + sample_len(point, with_start);
    let start = request.len();
    let [low, high, ..] = (content << 1).to_le_bytes();
    match content {
        0..0x80 => request.extend_from_slice(&[delimited(field), low >> 1]),
        0x80..0x4000 => request.extend_from_slice(&[delimited(field), low >> 1 | 0x80, high]),
        _ => put_head(request, field, content),
    }
    let labels_start = request.len();
    request.extend_from_slice(labels);
    let sample = request.len();
    let (end, usual) = put_sample_within(request, point, with_start);
    Written {
        start,
        labels: labels_start,
        sample,
        end,
        usual,
    }
}
