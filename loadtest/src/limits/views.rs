//! Protobuf messages as views that borrow from the body: what a fast library decodes into.
//!
//! The shape is the one that buffa's own generator writes (a match on the field's number, its functions for every
//! field), without the generator's budgets for memory and depth, which makes these views a little faster than its own.

use buffa::DecodeError;
use buffa::encoding::{Tag, WireType, check_wire_type, skip_field_depth};
use buffa::types::{
    borrow_bytes, borrow_str, decode_bool, decode_double, decode_fixed64, decode_int32,
    decode_int64, decode_sfixed64, decode_uint32, decode_uint32_packed,
};

/// How deep unknown groups may be nested.
const DEPTH: u32 = 100;

/// A message, field by field.
pub(super) trait View<'a>: Default {
    /// Reads one field, or skips it.
    fn field(&mut self, tag: Tag, body: &mut &'a [u8]) -> Result<(), DecodeError>;

    /// Reads all of them.
    #[inline]
    fn decode(mut body: &'a [u8]) -> Result<Self, DecodeError> {
        let mut view = Self::default();
        while !body.is_empty() {
            let tag = Tag::decode(&mut body)?;
            view.field(tag, &mut body)?;
        }
        Ok(view)
    }
}

#[inline]
fn message<'a, V: View<'a>>(tag: Tag, body: &mut &'a [u8]) -> Result<V, DecodeError> {
    check_wire_type(tag, WireType::LengthDelimited)?;
    V::decode(borrow_bytes(body)?)
}

#[inline]
fn text<'a>(tag: Tag, body: &mut &'a [u8]) -> Result<&'a str, DecodeError> {
    check_wire_type(tag, WireType::LengthDelimited)?;
    borrow_str(body)
}

#[inline]
fn packed(tag: Tag, body: &mut &[u8], into: &mut Vec<u32>) -> Result<(), DecodeError> {
    check_wire_type(tag, WireType::LengthDelimited)?;
    let mut numbers = borrow_bytes(body)?;
    into.reserve(numbers.len());
    while !numbers.is_empty() {
        into.push(decode_uint32_packed(&mut numbers)?);
    }
    Ok(())
}

macro_rules! number {
    ($read:ident, $wire_type:ident, $tag:expr, $body:expr) => {{
        check_wire_type($tag, WireType::$wire_type)?;
        $read($body)?
    }};
}

/// A view from the list of its fields: the number, the name, and how it is read.
macro_rules! view {
    ($(#[$doc:meta])* $name:ident<'a> {
        $($number:literal $field:ident: $type:ty = |$self:ident, $tag:ident, $body:ident| $read:expr;)*
    }) => {
        $(#[$doc])*
        #[derive(Default)]
        pub(super) struct $name<'a> {
            $(pub(super) $field: $type,)*
            _borrowed: std::marker::PhantomData<&'a ()>,
        }

        impl<'a> View<'a> for $name<'a> {
            #[inline]
            fn field(&mut self, tag: Tag, body: &mut &'a [u8]) -> Result<(), DecodeError> {
                match tag.field_number() {
                    $($number => {
                        let ($self, $tag, $body) = (self, tag, body);
                        $read;
                    })*
                    _ => skip_field_depth(tag, body, DEPTH)?,
                }
                Ok(())
            }
        }
    };
}

view! {
    /// Remote write 1.0.
    WriteRequest<'a> {
        1 timeseries: Vec<TimeSeries<'a>> = |v, tag, body| v.timeseries.push(message(tag, body)?);
    }
}
view! {
    /// Its series.
    TimeSeries<'a> {
        1 labels: Vec<Label<'a>> = |v, tag, body| v.labels.push(message(tag, body)?);
        2 samples: Vec<Sample<'a>> = |v, tag, body| v.samples.push(message(tag, body)?);
    }
}
view! {
    /// Its label.
    Label<'a> {
        1 name: &'a str = |v, tag, body| v.name = text(tag, body)?;
        2 value: &'a str = |v, tag, body| v.value = text(tag, body)?;
    }
}
view! {
    /// A sample of both versions.
    Sample<'a> {
        1 value: f64 = |v, tag, body| v.value = number!(decode_double, Fixed64, tag, body);
        2 timestamp: i64 = |v, tag, body| v.timestamp = number!(decode_int64, Varint, tag, body);
        3 start: i64 = |v, tag, body| v.start = number!(decode_int64, Varint, tag, body);
    }
}
view! {
    /// Remote write 2.0.
    Request<'a> {
        4 symbols: Vec<&'a str> = |v, tag, body| v.symbols.push(text(tag, body)?);
        5 timeseries: Vec<TimeSeries2<'a>> = |v, tag, body| v.timeseries.push(message(tag, body)?);
    }
}
view! {
    /// Its series.
    TimeSeries2<'a> {
        1 labels_refs: Vec<u32> = |v, tag, body| packed(tag, body, &mut v.labels_refs)?;
        2 samples: Vec<Sample<'a>> = |v, tag, body| v.samples.push(message(tag, body)?);
        5 metadata: Option<Metadata<'a>> = |v, tag, body| v.metadata = Some(message(tag, body)?);
    }
}
view! {
    /// What is known of its metric.
    Metadata<'a> {
        1 kind: u32 = |v, tag, body| v.kind = number!(decode_uint32, Varint, tag, body);
        3 help: u32 = |v, tag, body| v.help = number!(decode_uint32, Varint, tag, body);
        4 unit: u32 = |v, tag, body| v.unit = number!(decode_uint32, Varint, tag, body);
    }
}
view! {
    /// OTLP's `ExportMetricsServiceRequest`.
    Export<'a> {
        1 resources: Vec<ResourceMetrics<'a>> = |v, tag, body| v.resources.push(message(tag, body)?);
    }
}
view! {
    /// Metrics of a resource.
    ResourceMetrics<'a> {
        1 resource: Option<Resource<'a>> = |v, tag, body| v.resource = Some(message(tag, body)?);
        2 scopes: Vec<ScopeMetrics<'a>> = |v, tag, body| v.scopes.push(message(tag, body)?);
    }
}
view! {
    /// A resource.
    Resource<'a> {
        1 attributes: Vec<KeyValue<'a>> = |v, tag, body| v.attributes.push(message(tag, body)?);
    }
}
view! {
    /// Metrics of a scope.
    ScopeMetrics<'a> {
        1 scope: Option<Scope<'a>> = |v, tag, body| v.scope = Some(message(tag, body)?);
        2 metrics: Vec<Metric<'a>> = |v, tag, body| v.metrics.push(message(tag, body)?);
    }
}
view! {
    /// A scope.
    Scope<'a> {
        1 name: &'a str = |v, tag, body| v.name = text(tag, body)?;
        2 version: &'a str = |v, tag, body| v.version = text(tag, body)?;
    }
}
view! {
    /// A metric of numbers.
    Metric<'a> {
        1 name: &'a str = |v, tag, body| v.name = text(tag, body)?;
        2 description: &'a str = |v, tag, body| v.description = text(tag, body)?;
        3 unit: &'a str = |v, tag, body| v.unit = text(tag, body)?;
        5 gauge: Option<Numbers<'a>> = |v, tag, body| v.gauge = Some(message(tag, body)?);
        7 sum: Option<Numbers<'a>> = |v, tag, body| v.sum = Some(message(tag, body)?);
    }
}
view! {
    /// A gauge or a sum.
    Numbers<'a> {
        1 points: Vec<NumberPoint<'a>> = |v, tag, body| v.points.push(message(tag, body)?);
        2 temporality: i32 = |v, tag, body| v.temporality = number!(decode_int32, Varint, tag, body);
        3 is_monotonic: bool = |v, tag, body| v.is_monotonic = number!(decode_bool, Varint, tag, body);
    }
}
view! {
    /// A data point.
    NumberPoint<'a> {
        2 start: u64 = |v, tag, body| v.start = number!(decode_fixed64, Fixed64, tag, body);
        3 at: u64 = |v, tag, body| v.at = number!(decode_fixed64, Fixed64, tag, body);
        4 as_double: Option<f64> = |v, tag, body| v.as_double = Some(number!(decode_double, Fixed64, tag, body));
        6 as_int: Option<i64> = |v, tag, body| v.as_int = Some(number!(decode_sfixed64, Fixed64, tag, body));
        7 attributes: Vec<KeyValue<'a>> = |v, tag, body| v.attributes.push(message(tag, body)?);
    }
}
view! {
    /// An attribute.
    KeyValue<'a> {
        1 key: &'a str = |v, tag, body| v.key = text(tag, body)?;
        2 value: Option<AnyValue<'a>> = |v, tag, body| v.value = Some(message(tag, body)?);
    }
}
view! {
    /// An attribute's value.
    AnyValue<'a> {
        1 text: Option<&'a str> = |v, tag, body| v.text = Some(text(tag, body)?);
        3 int: Option<i64> = |v, tag, body| v.int = Some(number!(decode_int64, Varint, tag, body));
    }
}
