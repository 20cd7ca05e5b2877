//! What is sent, what exceptions mean, and what a real server and a new engine make of it.

mod real;

use http::{HeaderMap, StatusCode};

use super::answer::meaning;
use super::rows::rows;
use super::{ClickHouse, Config, LabelColumn, table};
use crate::WriteError;
use crate::endpoint::{Answer, Meaning};
use crate::fixtures::{Series, batch, give_to};

fn config(url: &str) -> Config {
    Config {
        url: url.to_owned(),
        ..Config::default()
    }
}

#[test]
fn a_row_is_what_row_binary_says() {
    let mut item = Series::new("up", &[("a", "1"), ("b", "é")], &[(1, 2.0)]).at(0, 0);
    let end = [&1_i64.to_le_bytes()[..], &2_f64.to_le_bytes(), &[1, 1]].concat();
    let map = [b"\x02up\x02\x01a\x011\x01b\x02\xc3\xa9", &end[..]].concat();
    assert_eq!(
        rows(&batch(0, vec![item.clone()]), LabelColumn::Map),
        Ok(map)
    );
    let json = [b"\x02up\x12{\"a\":\"1\",\"b\":\"\xc3\xa9\"}", &end[..]].concat();
    assert_eq!(
        rows(&batch(0, vec![item.clone()]), LabelColumn::Json),
        Ok(json)
    );
    give_to(&mut item, Some("team"));
    let with_tenant = rows(&batch(0, vec![item]), LabelColumn::Map).unwrap();
    assert!(with_tenant.ends_with(b"\x01\x00\x04team"));
    let mut long = Series::new(&"n".repeat(300), &[], &[]);
    long.histograms = vec![(1, b"message".to_vec())];
    let long = rows(&batch(0, vec![long.at(0, 0)]), LabelColumn::Map).unwrap();
    assert!(long.starts_with(b"\xac\x02nnn") && long.ends_with(b"\x00\x07message\x01"));
}

#[test]
fn a_batch_whose_labels_would_fill_the_memory_is_refused() {
    let long = "v".repeat(1 << 20);
    let points: Vec<(i64, f64)> = (0..65).map(|at| (at, 1.0)).collect();
    let item = Series::new("x", &[("label", &long)], &points).at(0, 0);
    let refused = rows(&batch(0, vec![item]), LabelColumn::Map).unwrap_err();
    assert!(
        matches!(
            refused,
            WriteError::Refused {
                reason: "too_large",
                ..
            }
        ),
        "{refused}"
    );
}

#[test]
fn names_are_quoted() {
    let mut config = config("http://h");
    config.database = "a`b".to_owned();
    config.table = "c\\d'e".to_owned();
    config.retention = service::units::Period::secs(3600);
    assert_eq!(
        table::insert(&config),
        "INSERT INTO `a\\`b`.`c\\\\d'e` (`metric`, `labels`, `time`, `value`, `histogram`, `tenant`) FORMAT RowBinary"
    );
    assert!(table::create(&config).ends_with("TTL toDateTime(time) + INTERVAL 3600 SECOND"));
    assert!(table::columns(&config).contains("table = 'c\\\\d\\'e'"));
}

#[test]
fn a_table_of_other_columns_is_not_written_to() {
    let config = config("http://h");
    let good = "metric\tLowCardinality(String)\nlabels\tMap(LowCardinality(String), String)\ntime\tDateTime64(3, 'UTC')\n\
                value\tFloat64\nhistogram\tNullable(String)\ntenant\tLowCardinality(Nullable(String))\nseries\tUInt64\n";
    assert_eq!(table::check(&config, good), Ok(()));
    for (from, to, expected) in [
        (
            "DateTime64(3, 'UTC')",
            "DateTime",
            "the column time of the table default.metrics is DateTime, and should be",
        ),
        ("Float64", "Float32", "the column value"),
        (
            "histogram\tNullable(String)",
            "histogram\tString",
            "the column histogram",
        ),
        ("tenant\t", "owner\t", "has no column tenant"),
    ] {
        let why = table::check(&config, &good.replace(from, to)).unwrap_err();
        assert!(why.contains(expected), "{why}");
    }
    assert!(
        table::check(&config, "")
            .unwrap_err()
            .contains("there is no table")
    );
}

#[track_caller]
fn meaning_of(status: u16, words: &str) -> Meaning {
    meaning(&Answer {
        status: StatusCode::from_u16(status).unwrap(),
        headers: HeaderMap::new(),
        words: words.to_owned(),
    })
}

#[test]
fn exceptions_mean_what_their_numbers_say() {
    for words in [
        "Code: 60, e.displayText() = DB::Exception: Table default.metrics doesn't exist.",
        "Code: 81. DB::Exception: Database x does not exist. (UNKNOWN_DATABASE)",
        "Code: 16. DB::Exception: No such column tenant",
        "Code: 516. DB::Exception: writer: Authentication failed",
        "Code: 115, e.displayText() = DB::Exception: Unknown setting x",
    ] {
        let meaning = meaning_of(500, words);
        assert!(matches!(meaning, Meaning::Misconfigured(_)), "{words}");
    }
    for words in [
        "Code: 241. DB::Exception: Memory limit (total) exceeded",
        "Code: 252. DB::Exception: Too many parts (300). Merges are processing significantly slower than inserts",
        "Code: 242. DB::Exception: Table is in readonly mode",
        "Code: 999. Coordination::Exception: Session expired",
    ] {
        assert_eq!(meaning_of(500, words), Meaning::Later, "{words}");
    }
    let many =
        "Code: 252. DB::Exception: Too many partitions for single INSERT block (more than 100)";
    assert_eq!(meaning_of(500, many), Meaning::Refused("too_large"));
    assert_eq!(meaning_of(502, "bad gateway"), Meaning::Later);
    assert_eq!(meaning_of(413, ""), Meaning::Refused("too_large"));
}

#[test]
fn settings_that_cannot_work_are_named() {
    let refused = |change: fn(&mut Config), key: &str| {
        let mut config = config("http://h");
        change(&mut config);
        assert_eq!(config.check().unwrap_err().0, key);
    };
    refused(|it| it.url.clear(), "url");
    refused(|it| it.table.clear(), "table");
    refused(|it| it.database.push('\n'), "database");
    refused(|it| it.max_samples = 0, "max_samples");
    refused(
        |it| it.retention = service::units::Period::secs(30 * 365 * 86_400),
        "retention",
    );
    refused(
        |it| {
            it.settings.insert("query".to_owned(), "x".to_owned());
        },
        "settings.query",
    );
    assert!(ClickHouse::new(config("http://h"), "main").is_ok());
}
