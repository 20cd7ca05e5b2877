//! The examples that the page is developed against have the shapes of the answers.

use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{History, Names, Overview};

/// The page is developed against these files, so they must be what the types say, to the last field.
fn check<T: Serialize + DeserializeOwned + Debug>(text: &str) {
    let value: Value = serde_json::from_str(text).unwrap();
    let shape: T = serde_json::from_str(text).unwrap();
    assert_eq!(serde_json::to_value(&shape).unwrap(), value);
}

#[test]
fn the_examples_of_each_role_have_the_shape_of_an_overview() {
    check::<Overview>(include_str!("../../fixtures/overview-standalone.json"));
    check::<Overview>(include_str!("../../fixtures/overview-gateway.json"));
    check::<Overview>(include_str!("../../fixtures/overview-consumer.json"));
}

#[test]
fn the_example_of_a_history_has_its_shape() {
    check::<History>(include_str!("../../fixtures/history.json"));
}

#[test]
fn the_example_of_names_has_their_shape() {
    check::<Names>(include_str!("../../fixtures/names.json"));
}
