//! The store that a replay fills.

use super::Target;
use crate::settings::{Role, Settings};

#[test]
fn a_store_has_a_name_a_url_or_a_folder() {
    assert_eq!(Target::parse("main"), Target::Named("main".to_owned()));
    let url = "http://vm:8428/api/v1/write";
    assert_eq!(Target::parse(url), Target::Url(url.to_owned()));
    assert_eq!(
        Target::parse("parquet:/new"),
        Target::Archive("/new".into())
    );
}

#[test]
fn a_url_or_a_folder_needs_no_settings() {
    let settings = Settings::defaults(Role::Consumer);
    for target in ["http://vm:8428/api/v1/write", "parquet:/new"] {
        Target::parse(target).config(&settings).unwrap();
    }
}

#[track_caller]
fn refused(target: &str, expected: &str) {
    let settings = Settings::defaults(Role::Standalone);
    let error = Target::parse(target).config(&settings).unwrap_err();
    let error = error.to_string();
    assert!(error.contains(expected), "{error}");
}

#[test]
fn a_store_that_is_not_there_is_answered_with_those_that_are() {
    refused("main", "they have [archive]");
    refused("ftp://vm/", "--to");
}

#[test]
fn an_archive_that_a_consumer_fills_is_left_alone() {
    refused("archive", "parquet:DIR");
}
