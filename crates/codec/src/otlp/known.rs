//! Data points of series that a catalogue knows: found by the bytes of resource, scope, metric and attributes.
//!
//! Only numbers that mean what they say are looked for: gauges and cumulative sums. Their name is not translated again,
//! and their attributes are not read.

use model::{FIRST_KNOWN, Sample, Value};

use super::metric::{Data, Temporality, aggregation};
use super::number::{EARLIEST_NS, integer};
use super::translate::{Point, Translator};
use super::{Stop, Translation};
use crate::catalogue::{self, Form, Trail, Unknown};
use crate::protobuf::Reader;

/// The field of a data point's attributes.
const ATTRIBUTES: u32 = 7;

/// The way along the known series of a body.
#[derive(Debug)]
pub(super) struct Walk<'a, 'c> {
    along: catalogue::Walk<'a, 'c>,
    /// The resource in hand, and its number if it is known.
    resource: Option<(&'a [u8], Option<u32>)>,
    /// The scope in hand, and its number if it is known; nothing where scopes become no labels.
    scope: Option<(&'a [u8], Option<u32>)>,
    has_scope_labels: bool,
}

/// A metric up to its data points.
#[derive(Debug, Clone, Copy)]
pub(super) struct Heading<'a> {
    form: Form,
    bytes: &'a [u8],
    /// The numbers of resource, scope and metric, if all are known.
    known: Option<[u32; 3]>,
    resource: &'a [u8],
    scope: &'a [u8],
    pub(super) data_points: &'a [u8],
}

/// A data point without its attributes.
struct Read<'a> {
    point: Point,
    value: f64,
    attributes: &'a [u8],
}

impl Heading<'_> {
    /// Whether there are series of this resource and metric.
    pub(super) fn is_known(&self) -> bool {
        self.known.is_some()
    }
}

impl<'a, 'c> Walk<'a, 'c> {
    pub(super) fn new(trail: Trail<'c>, translation: &Translation<'_>) -> Option<Self> {
        Some(Self {
            along: catalogue::Walk::along(trail)?,
            resource: None,
            scope: None,
            has_scope_labels: translation.options.has_scope_labels,
        })
    }

    /// Goes on with the metrics of another resource, which has one message.
    pub(super) fn resource(&mut self, resource: Option<&'a [u8]>) {
        self.resource = resource.map(|bytes| (bytes, self.along.catalogue.part(bytes)));
    }

    /// Goes on with the metrics of a scope: what it says of itself is one part, if it is in one place.
    pub(super) fn scope(&mut self, message: &'a [u8]) {
        let scope = if self.has_scope_labels {
            own_fields(message)
        } else {
            Some(&[][..])
        };
        self.scope = scope.map(|bytes| (bytes, self.along.catalogue.part(bytes)));
    }

    /// A metric whose data points may be known.
    pub(super) fn heading(&self, message: &'a [u8]) -> Option<Heading<'a>> {
        let (resource, resource_number) = self.resource?;
        let (scope, scope_number) = self.scope?;
        let mut reader = Reader(message);
        let (number, data_points, start) = loop {
            let start = message.len() - reader.0.len();
            let (number, field) = reader.field().ok()??;
            match number {
                1..=3 => {}
                5 | 7 if reader.0.is_empty() => break (number, field.bytes().ok()?, start),
                _ => return None,
            }
        };
        let form = if number == 5 {
            Form::OtlpGauge
        } else {
            match aggregation(Data::Sum, data_points).ok()? {
                (Temporality::Cumulative, true) => Form::OtlpCounter,
                (Temporality::Cumulative, false) => Form::OtlpSum,
                _ => return None,
            }
        };
        let bytes = message.get(..start)?;
        Some(Heading {
            form,
            bytes,
            known: resource_number
                .zip(scope_number)
                .zip(self.along.catalogue.part(bytes))
                .map(|((resource, scope), metric)| [resource, scope, metric]),
            resource,
            scope,
            data_points,
        })
    }

    fn find(&mut self, heading: &Heading<'a>, attributes: &[u8]) -> Option<u32> {
        let [resource, scope, metric] = heading.known?;
        let catalogue = self.along.catalogue;
        let expected = self.along.expected().filter(|(_, form, [a, b, c, d])| {
            *form == heading.form
                && [*a, *b, *c] == [resource, scope, metric]
                && catalogue.part_bytes(*d) == attributes
        });
        if let Some((series, ..)) = expected {
            return Some(series);
        }
        let attributes = catalogue.part(attributes)?;
        let parts = [resource, scope, metric, attributes];
        let series = catalogue.find_parts(heading.form, parts)?;
        self.along.turn_to(series);
        Some(series)
    }

    /// Counts what was found, and hands on what may be learned.
    pub(super) fn end(self, objects: u32) -> Vec<Unknown<'a>> {
        self.along.end(objects)
    }
}

impl<'a> Translator<'a, '_> {
    /// Takes a data point of a known series; `false` when it has to be translated.
    pub(super) fn known_point(
        &mut self,
        heading: &Heading<'a>,
        index: u32,
        message: &'a [u8],
    ) -> Result<bool, Stop> {
        let Some(walk) = &mut self.walk else {
            return Ok(false);
        };
        let Some((read, series)) = read(message).and_then(|read| {
            walk.find(heading, read.attributes)
                .map(|series| (read, series))
        }) else {
            return Ok(false);
        };
        walk.along.found(series);
        self.count(1)?;
        self.resource.latest_ns = self.resource.latest_ns.max(read.point.at_ns);
        self.decoded.batch.push(Sample {
            index,
            series: FIRST_KNOWN + series,
            at_ms: read.point.at_ms(),
            start_ms: match heading.form {
                Form::OtlpGauge => 0,
                _ => read.point.start_ms(),
            },
            value: Value::Float(read.value),
        });
        Ok(true)
    }

    /// Notes the series that a data point was translated to.
    pub(super) fn note_unknown(&mut self, heading: &Heading<'a>, message: &'a [u8]) {
        let Some(walk) = &mut self.walk else {
            return;
        };
        let sample = self.decoded.batch.samples().last();
        let unknown = sample
            .filter(|sample| sample.known().is_none())
            .zip(read(message))
            .map(|(sample, read)| Unknown {
                series: sample.series,
                form: heading.form,
                parts: [
                    heading.resource,
                    heading.scope,
                    heading.bytes,
                    read.attributes,
                ],
            });
        walk.along.miss(unknown);
    }
}

/// What a scope's metrics have in common, if it comes before them or not at all.
fn own_fields(message: &[u8]) -> Option<&[u8]> {
    let mut own = &[][..];
    let mut has_metrics = false;
    let mut reader = Reader(message);
    loop {
        let start = message.len() - reader.0.len();
        match reader.field().ok()? {
            None => return Some(own),
            Some((2, _)) => has_metrics = true,
            Some((1, field)) if start == 0 && !has_metrics => own = field.bytes().ok()?,
            // A schema's address may be empty.
            Some((3, field)) if field.bytes().ok()?.is_empty() => {}
            Some((1 | 3, _)) => return None,
            Some(_) => {}
        }
    }
}

/// Reads a data point whose attributes are all in one place, as every encoder writes them.
#[inline]
fn read(message: &[u8]) -> Option<Read<'_>> {
    let mut point = Point::default();
    let mut value = None;
    let mut attributes = (0, 0);
    let mut reader = Reader(message);
    while !reader.0.is_empty() {
        let start = message.len() - reader.0.len();
        match reader.field().ok()?? {
            (2, field) => point.start_ns = field.fixed64().ok()?,
            (3, field) => point.at_ns = field.fixed64().ok()?,
            (4, field) => value = Some(field.double().ok()?),
            (6, field) => value = Some(integer(field.fixed64().ok()?)),
            (ATTRIBUTES, _) => {
                let end = message.len() - reader.0.len();
                attributes = match attributes {
                    (0, 0) => (start, end),
                    (first, last) if last == start => (first, end),
                    _ => return None,
                };
            }
            _ => return None,
        }
    }
    // Smaller times are looked at more closely.
    (point.at_ns >= EARLIEST_NS).then_some(Read {
        point,
        value: value?,
        attributes: message.get(attributes.0..attributes.1)?,
    })
}
