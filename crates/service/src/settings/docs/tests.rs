//! What the reference looks like.

use super::table;
use crate::settings::tests::Settings;

#[test]
fn every_setting_is_listed_with_its_documentation() {
    let schema = schemars::schema_for!(Settings);
    let defaults = serde_json::to_value(Settings::default()).unwrap();
    insta::assert_snapshot!(table(&schema, &defaults));
}
