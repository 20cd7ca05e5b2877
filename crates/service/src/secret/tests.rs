//! A secret is read, kept and never shown.

use super::Secret;

#[test]
fn a_secret_is_not_printed() {
    let secret = Secret::new("hunter2");
    assert_eq!(
        format!("{secret:?} {:#?}", Some(&secret)),
        "*** Some(\n    ***,\n)"
    );
    assert_eq!(
        serde_json::json!({ "token": secret }).to_string(),
        r#"{"token":"***"}"#
    );
    assert_eq!(secret.expose(), "hunter2");
}

#[test]
fn an_empty_secret_is_seen_to_be_empty() {
    assert_eq!(serde_json::json!(Secret::default()), "");
    assert!(Secret::default().is_empty());
}

#[test]
fn a_number_is_refused_without_repeating_it() {
    for found in [
        "12345",
        "-7",
        "1.5",
        "true",
        "[12345]",
        "{\"12345\": 1}",
        "null",
    ] {
        let error = serde_json::from_str::<Secret>(found)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("in quotes") && !error.contains("12345"),
            "{error}"
        );
    }
    assert_eq!(
        serde_json::from_str::<Secret>("\"0123\"").unwrap().expose(),
        "0123"
    );
}

#[test]
fn secrets_are_compared_without_being_shown() {
    let write = |text: &str| {
        super::comparable(|| serde_json::to_string(&Secret::new(text)))
            .unwrap()
            .clone()
    };
    assert_eq!(write("one"), write("one"));
    assert_ne!(write("one"), write("two"));
    assert!(!write("one").contains("one"));
    let shown = serde_json::to_string(&Secret::new("one")).unwrap();
    assert_eq!(shown, r#""***""#);
}
