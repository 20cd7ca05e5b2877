//! Options as people write them, and what may be shown of them.

use serde::Deserialize as _;
use serde::de::IntoDeserializer as _;
use serde::de::value::{Error, MapDeserializer};

use super::Properties;

fn text(pairs: &[(&'static str, &'static str)]) -> Result<Properties, Error> {
    let map = MapDeserializer::<_, Error>::new(pairs.iter().copied());
    Properties::deserialize(map.into_deserializer())
}

#[test]
fn an_underscore_of_the_environment_is_a_dot() {
    let properties = text(&[("sasl_password", "x"), ("log_level", "7")]).unwrap();
    let keys: Vec<&str> = properties.iter().map(|(key, _)| key).collect();
    assert_eq!(keys, ["log_level", "sasl.password"]);
}

#[test]
fn numbers_and_truth_values_need_no_quotes() {
    let numbers = MapDeserializer::<_, Error>::new([("linger.ms", 3_i64)].into_iter());
    let truths = MapDeserializer::<_, Error>::new([("socket.nagle.disable", true)].into_iter());
    let number = Properties::deserialize(numbers).unwrap();
    let truth = Properties::deserialize(truths).unwrap();
    assert_eq!(number.iter().next(), Some(("linger.ms", "3")));
    assert_eq!(truth.iter().next(), Some(("socket.nagle.disable", "true")));
}

#[test]
fn a_password_that_looks_like_a_number_is_refused_because_it_lost_its_zeros() {
    let map = MapDeserializer::<_, Error>::new([("sasl.password", 123_i64)].into_iter());
    let error = Properties::deserialize(map).unwrap_err().to_string();
    assert_eq!(error, "sasl.password must be a text; put it in quotes");
}

#[test]
fn secrets_are_not_shown() {
    let properties: Properties = [
        ("sasl.password", "hunter2"),
        ("ssl.key.pem", "-----BEGIN"),
        ("sasl.oauthbearer.client.secret", "s3cret"),
        ("sasl.username", "gateway"),
    ]
    .into_iter()
    .collect();
    assert_eq!(
        format!("{properties:?}"),
        r#"{"sasl.oauthbearer.client.secret": "***", "sasl.password": "***", "sasl.username": "gateway", "ssl.key.pem": "***"}"#
    );
}
