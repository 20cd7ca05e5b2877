//! Records put together from pieces that no library writes: what a shortcut may take for something else.

use prost::encoding::encode_varint;

use super::*;

/// A varint, with more bytes than it needs when `extra` asks for them.
fn varint(number: u64, extra: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode_varint(number, &mut bytes);
    for _ in 0..extra {
        *bytes.last_mut().unwrap() |= 0x80;
        bytes.push(0);
    }
    bytes
}

fn field(key: u8, content: &[u8], extra: usize) -> Vec<u8> {
    let length = varint(content.len() as u64, extra);
    [&[key], length.as_slice(), content].concat()
}

fn any_extra() -> impl Strategy<Value = usize> {
    prop_oneof![9 => Just(0_usize), 1 => 1_usize..3]
}

/// Nearly always one.
fn any_varint() -> BoxedStrategy<Vec<u8>> {
    let number = prop_oneof![
        4 => 0_u64..200,
        2 => 16_380_u64..16_390,
        2 => 0_u64..1 << 42,
        1 => any::<u64>(),
    ];
    let varint = (number, any_extra()).prop_map(|(number, extra)| varint(number, extra));
    let broken = prop::sample::select(vec![&b""[..], b"\x80", b"\xff\xff\x81", b"\x01\x18"]);
    prop_oneof![30 => varint, 1 => broken.prop_map(<[u8]>::to_vec)].boxed()
}

fn any_reference() -> BoxedStrategy<Vec<u8>> {
    let number = prop_oneof![
        16 => 0_u64..12,
        8 => 126_u64..130,
        4 => 16_382_u64..16_386,
        1 => any::<u64>(),
    ];
    (number, any_extra())
        .prop_map(|(number, extra)| varint(number, extra))
        .boxed()
}

/// Texts, halves of characters, and what looks like the head of a symbol.
fn any_text() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        8 => "[a-zé]{1,12}".prop_map(String::into_bytes),
        2 => Just(Vec::new()),
        1 => prop::sample::select(vec![&b"\xc3"[..], b"\xa9", b"\xe2\x82", b"\xac", b"\x22\x05"])
            .prop_map(<[u8]>::to_vec),
        1 => prop::sample::select(vec![126_usize, 127, 128, 129]).prop_map(|len| vec![b'x'; len]),
    ]
}

fn any_sample() -> BoxedStrategy<Vec<u8>> {
    let part = prop_oneof![
        8 => any::<u64>().prop_map(|bits| [&[0x09][..], &bits.to_le_bytes()].concat()),
        8 => any_varint().prop_map(|number| [&[0x10][..], &number].concat()),
        2 => any_varint().prop_map(|number| [&[0x18][..], &number].concat()),
        1 => any_varint().prop_map(|number| [&[0x78][..], &number].concat()),
    ];
    let usual = (any::<u64>(), any_varint())
        .prop_map(|(bits, at_ms)| [&[0x09][..], &bits.to_le_bytes(), &[0x10], &at_ms].concat());
    prop_oneof![
        3 => usual,
        2 => prop::collection::vec(part, 0..4).prop_map(|parts| parts.concat()),
    ]
    .boxed()
}

/// A field of a series. Behind pointers, because all of it by value is more than a thread's stack.
fn any_part() -> BoxedStrategy<Vec<u8>> {
    let refs = prop::collection::vec(any_reference(), 0..6).prop_map(|refs| refs.concat());
    let metadata =
        (any_varint(), any_reference(), any_reference()).prop_map(|(kind, help, unit)| {
            [&[0x08][..], &kind, &[0x18], &help, &[0x20], &unit].concat()
        });
    let exemplar = (any_reference(), any_reference(), any_varint()).prop_map(|(a, b, at_ms)| {
        [
            field(0x0a, &[a, b].concat(), 0),
            [&[0x18][..], &at_ms].concat(),
        ]
        .concat()
    });
    prop_oneof![
        4 => (refs, any_extra()).prop_map(|(refs, extra)| field(0x0a, &refs, extra)),
        // Not packed.
        1 => any_reference().prop_map(|number| [&[0x08][..], &number].concat()),
        4 => (any_sample(), any_extra()).prop_map(|(sample, extra)| field(0x12, &sample, extra)),
        1 => any_varint().prop_map(|at_ms| field(0x1a, &[&[0x78][..], &at_ms].concat(), 0)),
        1 => exemplar.prop_map(|exemplar| field(0x22, &exemplar, 0)),
        2 => (metadata, any_extra()).prop_map(|(metadata, extra)| field(0x2a, &metadata, extra)),
        1 => any_varint().prop_map(|created| [&[0x30][..], &created].concat()),
        1 => any_varint().prop_map(|unknown| [&[0x78][..], &unknown].concat()),
    ]
    .boxed()
}

/// The usual order and number of fields, or any.
fn any_pieces() -> BoxedStrategy<Vec<u8>> {
    let refs = prop::collection::vec(any_reference(), 0..70).prop_map(|refs| refs.concat());
    let usual = (refs, any_sample(), prop::option::weighted(0.3, any_part())).prop_map(
        |(refs, sample, behind)| {
            let refs = [&[1, 2], refs.as_slice()].concat();
            let fields = [field(0x0a, &refs, 0), field(0x12, &sample, 0)];
            [fields.concat(), behind.unwrap_or_default()].concat()
        },
    );
    let others = prop::collection::vec(any_part(), 0..5)
        .prop_map(|parts| [field(0x0a, &[1, 2], 0), parts.concat()].concat());
    prop_oneof![6 => usual, 4 => others, 1 => prop::collection::vec(any_part(), 0..3)
        .prop_map(|parts| parts.concat())]
    .boxed()
}

/// All of it: [`said`], and what follows no label.
fn all_said(block: &Block) -> Vec<String> {
    block.iter().for_each(check_plain);
    let rest = |series: model::SeriesView<'_>| {
        let starts: Vec<_> = series.points().iter().map(|it| it.start_ms).collect();
        let exemplars = series.exemplars().iter().map(|it| {
            let labels: Vec<_> = series.exemplar_labels(it).collect();
            format!("{} {} {labels:?}", it.at_ms, it.value.to_bits())
        });
        let exemplars: Vec<_> = exemplars.collect();
        format!("{starts:?} {:?} {exemplars:?}", series.histograms())
    };
    said(block)
        .into_iter()
        .chain(block.iter().map(rest))
        .collect()
}

/// A series that is called plain is.
#[track_caller]
fn check_plain(series: model::SeriesView<'_>) {
    let Some(point) = series.plain() else {
        return;
    };
    let [only] = series.points() else {
        panic!("{} points", series.points().len());
    };
    assert_eq!(format!("{only:?}"), format!("{point:?}"));
    assert!(series.is_tidy() && series.histograms().is_empty() && series.exemplars().is_empty());
    let described = (series.kind(), series.unit(), series.help());
    assert_eq!(described, (model::MetricType::Unspecified, "", ""));
}

#[test]
fn what_a_gateway_writes_is_plain() {
    let mut builder = RecordBuilder::new("m");
    for host in ["a", "b", "c"] {
        let point = model::Point {
            at_ms: 1_700_000_000_000,
            value: 1.5,
            start_ms: 0,
        };
        builder.push(
            [("host", host)],
            model::MetricType::Unspecified,
            "",
            "",
            [point],
        );
    }
    let block = decode(Some(RW2), &builder.finish()).unwrap();
    assert_eq!(
        block
            .iter()
            .filter(|series| series.plain().is_some())
            .count(),
        3
    );
    block.iter().for_each(check_plain);
}

proptest! {
    #[test]
    fn shortcuts_change_nothing_about_pieces(
        texts in prop::collection::vec((any_text(), any_extra()), 0..12),
        fill in prop::sample::select(vec![0_usize, 0, 120, 16_380]),
        series in prop::collection::vec((any_pieces(), any_extra()), 0..8),
        between in prop::option::weighted(0.2, (any_text(), any::<prop::sample::Index>())),
        first in prop::option::weighted(0.1, any_varint()),
        has_names in prop::bool::weighted(0.95),
    ) {
        let mut fields: Vec<Vec<u8>> = Vec::new();
        fields.extend(first.map(|unknown| [&[0x78][..], &unknown].concat()));
        if has_names {
            fields.extend(["", "__name__", "rpc"].map(|text| field(0x22, text.as_bytes(), 0)));
        }
        fields.extend(texts.iter().map(|(text, extra)| field(0x22, text, *extra)));
        fields.extend((0..fill).map(|number| field(0x22, number.to_string().as_bytes(), 0)));
        fields.extend(series.iter().map(|(series, extra)| field(0x2a, series, *extra)));
        if let Some((text, at)) = between {
            fields.insert(at.index(fields.len() + 1), field(0x22, &text, 0));
        }
        let record = Bytes::from(fields.concat());
        let said = |block: Block| all_said(&block);
        let short = protobuf::decode(&record).map(said);
        let long = protobuf::decode_field_by_field(&record).map(said);
        prop_assert_eq!(short, long);
    }
}
