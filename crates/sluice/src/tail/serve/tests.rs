//! The parameters of `GET /api/v1/tail`.

use super::{Query, Tails, begin};

#[test]
fn the_parameters_are_the_options_of_the_command() {
    let query =
        Query::parse("name=cpu*&name=mem&label=host%3Dweb-01&limit=3&follow=false").unwrap();
    assert_eq!(query.chosen.names, ["cpu*", "mem"]);
    assert_eq!(query.chosen.labels, ["host=web-01"]);
    assert_eq!((query.limit, query.no_follow), (Some(3), true));
}

#[tokio::test]
async fn what_cannot_be_shown_is_answered_in_a_sentence() {
    for (query, status, expected) in [
        ("names=cpu", 400, "known are name"),
        ("limit=many", 400, "limit=many"),
        ("label=host", 400, "--label host=web-01"),
        ("", 503, "no embedded log"),
    ] {
        let refused = begin(&Tails::default(), query).await.err().unwrap();
        assert_eq!(refused.0.as_u16(), status, "{query}");
        assert!(refused.2.contains(expected), "{query}: {}", refused.2);
    }
}
