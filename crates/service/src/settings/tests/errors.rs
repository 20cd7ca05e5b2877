//! Every kind of bad setting, and the line that it gets.

use super::settings;

fn line(text: &str, environment: &[(&str, &str)]) -> String {
    let line = settings(text, environment).unwrap_err();
    assert!(!line.contains(char::is_control), "{line:?}");
    line
}

#[test]
fn an_unknown_key_gets_the_nearest_known_one() {
    let cases = [
        (
            "http:\n  listn: x",
            "sluice.yaml:2: http.listn: unknown key, did you mean http.listen?",
        ),
        (
            "htpp:\n  listen: x",
            "sluice.yaml:1: htpp: unknown key, did you mean http?",
        ),
        (
            "listen: x",
            "sluice.yaml:1: listen: unknown key, did you mean http.listen?",
        ),
        (
            "http_max_body: 1MiB",
            "sluice.yaml:1: http_max_body: unknown key, did you mean http.max_body?",
        ),
        (
            "http:\n  zzz: 1",
            "sluice.yaml:2: http.zzz: unknown key, expected listen, request_timeout, max_body, threads, explain or traced_ratio",
        ),
        (
            "kafka: {}\nstores: {}\nlog: {}",
            "sluice.yaml:3: log: unknown key, expected data_dir, http, kafka or stores",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(line(text, &[]), expected);
    }
}

#[test]
fn a_value_that_does_not_fit_is_shown_beside_what_does() {
    let cases = [
        (
            "http:\n  request_timeout: 10",
            "sluice.yaml:2: http.request_timeout: \"10\" has no unit; write 10s or 10ms",
        ),
        (
            "http:\n  request_timeout: \"x\\ny\"",
            "sluice.yaml:2: http.request_timeout: \"x\\ny\" is not a duration such as 250ms, 10s or 24h",
        ),
        (
            "http:\n  max_body: [1]",
            "sluice.yaml:2: http.max_body: found a list, expected a number with its unit, such as 10s or 16MiB",
        ),
        (
            "http:\n  threads: 70000",
            "sluice.yaml:2: http.threads: found 70000, expected a whole number from 0 to 65535",
        ),
        (
            "http:\n  threads: -1",
            "sluice.yaml:2: http.threads: found -1, expected a whole number from 0 to 65535",
        ),
        (
            "http:\n  threads: many",
            "sluice.yaml:2: http.threads: found \"many\", expected a whole number from 0 to 65535",
        ),
        (
            "http:\n  explain: yes",
            "sluice.yaml:2: http.explain: found \"yes\", expected true or false",
        ),
        (
            "http:\n  listen: 8080",
            "sluice.yaml:2: http.listen: found \"8080\": invalid socket address syntax",
        ),
        (
            "http:\n  listen:",
            "sluice.yaml:2: http.listen: found nothing, expected socket address",
        ),
        (
            "data_dir: {}",
            "sluice.yaml:1: data_dir: found a section, expected a text",
        ),
        (
            "kafka:\n  partitions: [1, x]",
            "sluice.yaml:2: kafka.partitions.1: found \"x\", expected a whole number from 0 to 65535",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(line(text, &[]), expected);
    }
}

#[test]
fn a_section_is_not_a_value_and_a_value_is_not_a_section() {
    let cases = [
        (
            "http: 5",
            "sluice.yaml:1: http: found 5, expected a section",
        ),
        (
            "http: [1, 2]",
            "sluice.yaml:1: http: found a list, expected a section",
        ),
        (
            "http:\n  listen:\n    port: 1",
            "sluice.yaml:2: http.listen: found a section, expected socket address",
        ),
        (
            "kafka:\n  brokers: x",
            "sluice.yaml:2: kafka.brokers: found \"x\", expected a list",
        ),
        (
            "stores: x",
            "sluice.yaml:1: stores: found \"x\", expected a section",
        ),
        (
            "stores:\n  main: x",
            "sluice.yaml:2: stores.main: found \"x\", expected a section",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(line(text, &[]), expected);
    }
}

#[test]
fn inside_a_tagged_section_the_key_is_found() {
    let cases = [
        (
            "stores:\n  main:\n    type: remote_rite\n    url: x",
            "sluice.yaml:3: stores.main.type: found \"remote_rite\", expected remote_write or parquet; did you mean remote_write?",
        ),
        (
            "stores:\n  main:\n    type: remote_write",
            "sluice.yaml:2: stores.main.url: has to be set",
        ),
        (
            "stores:\n  main:\n    url: x",
            "sluice.yaml:2: stores.main.type: has to be set",
        ),
        (
            "stores:\n  main: {type: remote_write, url: x,\n    versoin: '1.0'}",
            "sluice.yaml:3: stores.main.versoin: unknown key, did you mean stores.main.version?",
        ),
        (
            "stores:\n  main:\n    type: remote_write\n    url: x\n    version: 3.0",
            "sluice.yaml:5: stores.main.version: found \"3.0\", expected 1.0 or 2.0",
        ),
        (
            "stores:\n  main:\n    type: remote_write\n    url: x\n    shards: 300\n    timeout: 10",
            "sluice.yaml:5: stores.main.shards: found 300, expected a whole number from 0 to 255",
        ),
        (
            "stores:\n  main:\n    type: remote_write\n    url: x\n    shards: 3\n    timeout: 10",
            "sluice.yaml:6: stores.main.timeout: \"10\" has no unit; write 10s or 10ms",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(line(text, &[]), expected);
    }
}

#[test]
fn what_is_not_yaml_is_pointed_at() {
    let cases = [
        (
            "http:\n  listen: a\n  listen: b\n",
            "sluice.yaml:3: duplicate mapping key: listen",
        ),
        (
            "http:\n\tlisten: x",
            "sluice.yaml:2: tabs disallowed within this context (block indentation)",
        ),
        ("http: {", "sluice.yaml:1: unclosed bracket '{'"),
        (
            "- a\n- b",
            "sluice.yaml: not a settings file, expected sections such as `http:`",
        ),
        (
            "just text",
            "sluice.yaml: not a settings file, expected sections such as `http:`",
        ),
        (
            "a: 1\n---\nb: 2",
            "sluice.yaml:3: multiple YAML documents detected",
        ),
        (
            "http:\n  traced_ratio: .nan",
            "sluice.yaml:2: non-finite float `.nan` rejected by the configured policy",
        ),
        ("? [a]\n: b", "sluice.yaml:1: expected string scalar"),
    ];
    for (text, expected) in cases {
        assert_eq!(line(text, &[]), expected);
    }
}

#[test]
fn no_secret_is_repeated() {
    let cases = [
        (
            "stores:\n  main: {type: remote_write, url: x, password: [hunter2]}",
            "sluice.yaml:2: stores.main.password: found a list, expected a text in quotes",
        ),
        (
            "stores:\n  main: {type: remote_write, url: x, password: {hunter: 2}}",
            "sluice.yaml:2: stores.main.password: found a section, expected a text in quotes",
        ),
        (
            "kafka:\n  properties: {sasl.password: [hunter2]}",
            "sluice.yaml:2: kafka.properties.sasl.password: found a list, expected a text",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(line(text, &[]), expected);
    }
}

#[test]
fn a_variable_is_named() {
    let cases = [
        (
            ("SLUICE_HTTP__LISTN", "x"),
            "SLUICE_HTTP__LISTN: http.listn: unknown key, did you mean SLUICE_HTTP__LISTEN?",
        ),
        (
            ("SLUICE_HTTP_LISTEN", "x"),
            "SLUICE_HTTP_LISTEN: http_listen: unknown key, did you mean SLUICE_HTTP__LISTEN?",
        ),
        (
            ("SLUICE_ZZZ", "1"),
            "SLUICE_ZZZ: zzz: unknown key, expected data_dir, http, kafka or stores",
        ),
        (
            ("SLUICE_", "x"),
            "SLUICE_: unknown key, expected data_dir, http, kafka or stores",
        ),
        (
            ("SLUICE_HTTP__REQUEST_TIMEOUT", "10"),
            "SLUICE_HTTP__REQUEST_TIMEOUT: http.request_timeout: \"10\" has no unit; write 10s or 10ms",
        ),
        (
            ("sluice_http__explain", "yes"),
            "sluice_http__explain: http.explain: found \"yes\", expected true or false",
        ),
        (
            ("SLUICE_HTTP__THREADS", "70000"),
            "SLUICE_HTTP__THREADS: http.threads: found 70000, expected a whole number from 0 to 65535",
        ),
        (
            ("SLUICE_HTTP__THREADS", "abc"),
            "SLUICE_HTTP__THREADS: http.threads: found \"abc\", expected a whole number from 0 to 65535",
        ),
        (
            ("SLUICE_HTTP__LISTEN", ""),
            "SLUICE_HTTP__LISTEN: http.listen: found nothing, expected socket address",
        ),
        (
            ("SLUICE_KAFKA__PARTITIONS", "1,x"),
            "SLUICE_KAFKA__PARTITIONS: kafka.partitions.1: found \"x\", expected a whole number from 0 to 65535",
        ),
        (
            ("SLUICE_STORES__ARCHIVE__CLOSE_AFTER", "5"),
            "SLUICE_STORES__ARCHIVE__CLOSE_AFTER: stores.archive.close_after: \"5\" has no unit; write 5s or 5ms",
        ),
        (
            ("SLUICE_STORES__MAIN__URL", "x"),
            "SLUICE_STORES__MAIN__URL: stores.main.type: has to be set",
        ),
        (
            ("SLUICE_HTTP__LISTEN__PORT", "80"),
            "SLUICE_HTTP__LISTEN__PORT: http.listen: found a section, expected socket address",
        ),
    ];
    for (variable, expected) in cases {
        assert_eq!(line("", &[variable]), expected);
    }
}

#[test]
fn a_variable_for_a_section_has_to_hold_one() {
    let cases = [
        (
            ("SLUICE_HTTP", "x"),
            "SLUICE_HTTP: http is a section; set SLUICE_HTTP__<NAME>, or all of it as {name: value, …}",
        ),
        (
            ("SLUICE_KAFKA__PROPERTIES", "[1]"),
            "SLUICE_KAFKA__PROPERTIES: kafka.properties is a section; set SLUICE_KAFKA__PROPERTIES__<NAME>, or all of it as {name: value, …}",
        ),
        (
            ("SLUICE_STORES__MAIN", "x"),
            "SLUICE_STORES__MAIN: stores.main: found \"x\", expected a section",
        ),
        (
            ("SLUICE_STORES__MAIN", "[parquet, x]"),
            "SLUICE_STORES__MAIN: stores.main: found \"[parquet, x]\", expected a section",
        ),
        (
            ("SLUICE_HTTP", "{listn: x}"),
            "SLUICE_HTTP: http.listn: unknown key, did you mean SLUICE_HTTP__LISTEN?",
        ),
    ];
    for (variable, expected) in cases {
        assert_eq!(line("", &[variable]), expected);
    }
}

#[test]
fn a_variable_for_a_file_needs_one() {
    let cases = [
        (
            ("SLUICE_HTTP__LISTEN_FILE", "/does/not/exist"),
            "SLUICE_HTTP__LISTEN_FILE: \"/does/not/exist\" cannot be read: No such file or directory (os error 2)",
        ),
        (
            ("SLUICE_HTTP__LISTN_FILE", "/dev/null"),
            "SLUICE_HTTP__LISTN_FILE: http.listn: unknown key, did you mean SLUICE_HTTP__LISTEN?",
        ),
    ];
    for (variable, expected) in cases {
        assert_eq!(line("", &[variable]), expected);
    }
}

#[test]
fn what_is_in_a_file_of_its_own_is_not_repeated() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "hunter2\n").unwrap();
    let path = file.path().to_str().unwrap();
    for name in [
        "SLUICE_HTTP__THREADS_FILE",
        "SLUICE_HTTP__LISTEN_FILE",
        "SLUICE_HTTP__MAX_BODY_FILE",
    ] {
        let line = line("", &[(name, path)]);
        assert!(line.starts_with(name) && !line.contains("hunter"), "{line}");
    }
}

#[test]
fn two_variables_for_one_setting_contradict_each_other() {
    let variables = [("SLUICE_DATA_DIR", "a"), ("sluice_data_dir", "b")];
    assert_eq!(
        line("", &variables),
        "SLUICE_DATA_DIR and sluice_data_dir: both set data_dir"
    );
}
