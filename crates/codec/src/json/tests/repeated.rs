//! With and without a catalogue, bodies mean the same.

use foldhash::quality::RandomState;
use proptest::prelude::*;

use super::differential::{any_body, any_element};
use crate::catalogue::Catalogue;
use crate::catalogue::tests::check_same;
use crate::json;

fn check(catalogue: &mut Catalogue, body: &[u8]) -> usize {
    // Without room for anything nothing is looked for.
    let mut nothing = Catalogue::new(0, RandomState::default());
    check_same(&mut nothing, json::decode(body, 6), |nothing| {
        json::decode_with(body, 6, nothing)
    });
    check_same(catalogue, json::decode(body, 6), |catalogue| {
        json::decode_with(body, 6, catalogue)
    })
}

/// An object as senders write it, with a place for each number.
fn template() -> impl Strategy<Value = String> {
    let labels = prop::collection::vec(("[a-c]{1,2}", "[^\"\\\\\\x00-\\x1f]{0,3}"), 0..3);
    let field = prop::sample::select(vec![
        "",
        r#""type": "gauge", "#,
        r#""unit": "s", "#,
        r#""x": null, "#,
    ]);
    ("[a-c]{1,2}", labels, field, any::<bool>()).prop_map(|(name, labels, field, time_first)| {
        let labels: Vec<String> = labels
            .iter()
            .map(|(name, value)| format!("\"{name}\": \"{value}\""))
            .collect();
        let numbers = if time_first {
            r#""timestamp": TIME, "value": VALUE"#
        } else {
            r#""value": VALUE, "timestamp": TIME"#
        };
        format!(
            r#"{{{field}"metric_name": "{name}", {numbers}, "labels": {{{}}}}}"#,
            labels.join(",")
        )
    })
}

fn number() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "-?(0|[1-9][0-9]{0,17})(\\.[0-9]{1,18})?",
        1 => prop::sample::select(vec!["1e3", "-0", "01", "1.", "null", "\"1\"", "1e999", "", "{}"])
            .prop_map(str::to_owned),
    ]
}

fn time() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => "1[67][0-9]{11}",
        1 => prop::sample::select(vec!["0", "-5", "1700000000", "1.5", "1e3", "0123", "12345678901234567890"])
            .prop_map(str::to_owned),
    ]
}

proptest! {
    #[test]
    fn objects_that_come_again_are_what_they_were(
        templates in prop::collection::vec(template(), 1..4),
        bodies in prop::collection::vec(
            prop::collection::vec((any::<prop::sample::Index>(), time(), number()), 1..6), 1..6
        ),
    ) {
        let mut catalogue = Catalogue::new(1 << 20, RandomState::default());
        for body in bodies {
            let objects: Vec<String> = body
                .iter()
                .map(|(at, time, value)| {
                    at.get(&templates).replace("TIME", time).replace("VALUE", value)
                })
                .collect();
            let body = format!(r#"{{"metrics": [{}]}}"#, objects.join(" ,\n"));
            check(&mut catalogue, body.as_bytes());
        }
    }

    #[test]
    fn any_bodies_one_after_the_other_are_what_they_were(
        bodies in prop::collection::vec(any_body(), 1..5),
        element in any_element(),
    ) {
        let mut catalogue = Catalogue::new(1 << 20, RandomState::default());
        for body in &bodies {
            check(&mut catalogue, body.as_bytes());
            check(&mut catalogue, format!(r#"{{"metrics": [{element}]}}"#).as_bytes());
            check(&mut catalogue, body.as_bytes());
        }
    }

    #[test]
    fn a_known_body_that_is_damaged_is_what_it_was(
        templates in prop::collection::vec(template(), 1..4),
        changes in prop::collection::vec(
            (any::<prop::sample::Index>(), prop_oneof![Just(None), any::<u8>().prop_map(Some),
                prop::sample::select(&b"\"\\{}[],:.-+eE0u\n "[..]).prop_map(Some)]),
            1..3,
        ),
    ) {
        let mut catalogue = Catalogue::new(1 << 20, RandomState::default());
        let objects: Vec<String> = templates
            .iter()
            .map(|template| template.replace("TIME", "1700000000000").replace("VALUE", "1.5"))
            .collect();
        let mut body = format!(r#"{{"metrics": [{}]}}"#, objects.join(", ")).into_bytes();
        check(&mut catalogue, &body);
        check(&mut catalogue, &body);
        for (at, change) in changes {
            let at = at.index(body.len());
            match change {
                Some(byte) => body[at] = byte,
                None => body.truncate(at.max(1)),
            }
        }
        check(&mut catalogue, &body);
    }
}

#[test]
fn a_body_of_known_objects_takes_the_short_way() {
    let mut catalogue = Catalogue::new(1 << 20, RandomState::default());
    let body = |time: &str, value: &str| {
        format!(
            r#"{{"metrics": [{{"metric_name":"a","timestamp":{time},"value":{value},"labels":{{}}}}]}}"#
        )
    };
    assert_eq!(
        check(&mut catalogue, body("1700000000000", "1").as_bytes()),
        0
    );
    assert_eq!(
        check(&mut catalogue, body("1700000000001", "-2.5").as_bytes()),
        1
    );
    assert_eq!(
        check(&mut catalogue, body("1700000000001", "1e3").as_bytes()),
        0
    );
}

#[test]
fn a_series_that_is_known_is_not_taught_again_for_its_number() {
    let mut catalogue = Catalogue::new(1 << 20, RandomState::default());
    let body = |value: &str| {
        format!(
            r#"{{"metrics": [{{"metric_name":"a","timestamp":1700000000000,"value":{value},"labels":{{}}}}]}}"#
        )
    };
    check(&mut catalogue, body("1").as_bytes());
    let small = body("1e-05");
    let decoded = json::decode_with(small.as_bytes(), 6, &catalogue).unwrap();
    assert_eq!(decoded.batch.samples().len(), 1);
    assert_eq!(decoded.unknown, []);
}
