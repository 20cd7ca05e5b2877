//! Parameters are read as documented, and a wrong one is named.

use super::parse;

#[test]
fn labels_and_limit_are_read() {
    let query = parse("metric_name=cpu%20x&label=host:a:b&label=region:eu&limit=5").unwrap();
    assert_eq!(query.metric_name.as_deref(), Some("cpu x"));
    assert_eq!(
        query.labels,
        [
            ("host".to_owned(), "a:b".to_owned()),
            ("region".to_owned(), "eu".to_owned())
        ]
    );
    assert_eq!(query.limit, 5);
}

#[test]
fn a_wrong_parameter_is_named() {
    assert_eq!(
        parse("label=host").unwrap_err(),
        "label=host is not of the form label=NAME:VALUE"
    );
    assert_eq!(
        parse("limit=0").unwrap_err(),
        "limit=0 is not a number from 1 to 100000"
    );
    assert_eq!(
        parse("metric=cpu").unwrap_err(),
        "unknown parameter \"metric\"; known are metric_name, label and limit"
    );
}
