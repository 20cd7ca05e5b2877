//! Two parsers, one meaning: whatever both accept is equal, and neither panics.

use std::fmt::Write;

use proptest::prelude::*;

use super::*;

/// Text of a JSON value, some of it wrong where a sample is concerned.
fn any_json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        any_number(),
        any_string(),
    ];
    leaf.prop_recursive(4, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4)
                .prop_map(|items| format!("[{}]", items.join(","))),
            prop::collection::vec((any_string(), inner), 0..4).prop_map(|entries| object(&entries)),
        ]
    })
}

fn object(entries: &[(String, String)]) -> String {
    let mut text = String::from("{");
    for (number, (key, value)) in entries.iter().enumerate() {
        let comma = if number > 0 { ", " } else { "" };
        write!(text, "{comma}{key} :{value}").unwrap();
    }
    text.push('}');
    text
}

fn any_number() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<i64>().prop_map(|number| number.to_string()),
        any::<f64>()
            .prop_filter("finite", |number| number.is_finite())
            .prop_map(|number| format!("{number:e}")),
        "-?(0|[1-9][0-9]{0,25})(\\.[0-9]{1,30})?([eE][+-]?[0-9]{1,3})?",
    ]
}

fn any_string() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z_]{0,6}".prop_map(|text| format!("{text:?}")),
        ".{0,40}".prop_map(|text| serde_json::to_string(&text).unwrap()),
        r#""(\\u[0-9a-fd-e]{4}|\\[bfnrt"\\/]|x){0,6}""#,
    ]
}

pub(super) fn any_element() -> impl Strategy<Value = String> {
    let field = prop_oneof![
        4 => (Just("\"metric_name\"".to_owned()), any_string()),
        4 => (Just("\"timestamp\"".to_owned()), any_number()),
        4 => (Just("\"value\"".to_owned()), any_number()),
        4 => (
            Just("\"labels\"".to_owned()),
            prop::collection::vec((any_string(), any_string()), 0..4).prop_map(|it| object(&it)),
        ),
        1 => (
            Just("\"value\"".to_owned()),
            (
                prop_oneof![Just("buckets"), Just("quantiles")],
                prop::collection::vec((any_number().prop_map(|it| format!("\"{it}\"")), any_number()), 0..4),
            )
                .prop_map(|(name, rows)| format!("{{\"{name}\":{},\"count\":1e9}}", object(&rows))),
        ),
        1 => (
            prop_oneof![
                Just("\"type\""), Just("\"unit\""), Just("\"help\""), Just("\"value\""),
                Just("\"timestamp\""), Just("\"labels\""), Just("\"x\"")
            ]
            .prop_map(str::to_owned),
            any_json(),
        ),
    ];
    prop_oneof![
        8 => prop::collection::vec(field, 3..7).prop_map(|fields| object(&fields)),
        8 => (any_string(), any_number(), any_number(), prop::collection::vec((any_string(), any_string()), 0..4))
            .prop_map(|(name, at, value, labels)| format!(
                r#"{{"metric_name":{name},"timestamp":{at},"value":{value},"labels":{}}}"#,
                object(&labels)
            )),
        1 => any_json(),
    ]
}

pub(super) fn any_body() -> impl Strategy<Value = String> {
    prop_oneof![
        20 => prop::collection::vec(any_element(), 0..5)
            .prop_map(|elements| format!("{{\"metrics\": [\n{}]}}", elements.join(","))),
        1 => (any_json(), any_element())
            .prop_map(|(json, element)| format!("{{\"x\":{json},\"metrics\":[{element}],\"y\":{json}}}")),
        1 => any_json(),
    ]
}

fn check(text: &str) -> Result<(), TestCaseError> {
    let careful = body::careful(text, 4);
    if let Some(fast) = body::fast(text, 4) {
        match (fast, careful) {
            (Ok(fast), Ok(careful)) => {
                prop_assert_eq!(rows(&fast), rows(&careful));
                prop_assert_eq!(fast.refused, careful.refused);
                prop_assert_eq!(fast.objects, careful.objects);
            }
            // The fast one stops at one sample too many and never sees what follows.
            (Err(fast), Err(_)) => prop_assert_eq!(fast.code, Code::TooManySamples),
            (fast, careful) => {
                return Err(TestCaseError::fail(format!("{fast:?}\n{careful:?}")));
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn the_parsers_agree(text in any_body()) {
        check(&text)?;
    }

    #[test]
    fn the_parsers_agree_on_mutated_bodies(
        text in any_body(),
        changes in prop::collection::vec(
            (any::<prop::sample::Index>(), prop_oneof![Just(None), any::<u8>().prop_map(Some),
                prop::sample::select(&b"\"\\{}[],:.-+eE0u\n "[..]).prop_map(Some)]),
            1..4,
        ),
    ) {
        let mut bytes = text.into_bytes();
        for (at, change) in changes {
            let at = at.index(bytes.len());
            match change {
                Some(byte) => bytes[at] = byte,
                None => bytes.truncate(at.max(1)),
            }
        }
        drop(decode(&bytes, 4));
        if let Ok(text) = std::str::from_utf8(&bytes) {
            check(text)?;
        }
    }

    #[test]
    fn good_bodies_take_the_fast_way(
        samples in prop::collection::vec(("[a-z]{1,9}", any::<i64>(), -1e300..1e300, ".{0,9}"), 0..4),
    ) {
        let elements: Vec<String> = samples
            .iter()
            .map(|(name, at_ms, value, label)| format!(
                r#"{{"metric_name":"{name}","timestamp":{at_ms},"value":{value:e},"labels":{{"k":{}}}}}"#,
                serde_json::to_string(label).unwrap()
            ))
            .collect();
        let text = format!(r#"{{"metrics":[{}]}}"#, elements.join(","));
        let decoded = body::fast(&text, 4).expect("nothing is wrong with it").unwrap();
        let expected: Vec<Row> = samples
            .iter()
            .enumerate()
            .map(|(index, (name, at_ms, value, label))| Row {
                index: u32::try_from(index).unwrap(),
                name: name.clone(),
                labels: vec![("k".to_owned(), label.clone())],
                at_ms: *at_ms,
                bits: f64::to_bits(value + 0.0),
                kind: MetricType::Unspecified,
                unit: String::new(),
                help: String::new(),
            })
            .collect();
        prop_assert_eq!(rows(&decoded), expected);
    }
}
