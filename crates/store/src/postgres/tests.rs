//! What is copied, what errors mean, and what a real server makes of it.

mod real;

use tokio_postgres::error::SqlState;

use super::answer::{Trouble, judge};
use super::copy::Rows;
use super::{Config, Known, Postgres};
use crate::fixtures::{Series, batch, give_to};
use crate::{Write as _, WriteError};

fn config(url: &str) -> Config {
    Config {
        url: url.to_owned(),
        ..Config::default()
    }
}

#[test]
fn a_sample_is_copied_once_and_the_last_one_wins() {
    let first = Series::new("up", &[("a", "1")], &[(0, 1.0), (1, 2.0)]).at(0, 0);
    let again = Series::new("up", &[("a", "1")], &[(0, 3.0)]).at(0, 1);
    let batch = batch(0, vec![first, again]);
    let rows = Rows::of(&batch);
    let body = rows.body();
    assert!(body.starts_with(b"PGCOPY\n\xff\r\n\0"));
    // A header, two rows, an end.
    assert_eq!(body.len(), 19 + 2 * (2 + 20 + 12 + 12 + 4) + 2);
    let value = 3_f64.to_be_bytes();
    assert!(body.windows(8).any(|window| window == value));
    assert_eq!(rows.days().collect::<Vec<_>>(), [0]);
    let series = rows.series_but(|_| false).unwrap();
    assert_eq!(series.ids().len(), 1);
    let known = series.ids()[0];
    assert!(rows.series_but(|id| *id == known).is_none());
}

#[test]
fn a_series_is_named_by_its_metric_its_labels_and_its_tenant() {
    let id = |item: crate::Item| {
        let batch = batch(0, vec![item]);
        Rows::of(&batch).series_but(|_| false).unwrap().ids()[0]
    };
    let series =
        |name: &str, labels: &[(&str, &str)]| Series::new(name, labels, &[(0, 1.0)]).at(0, 0);
    let plain = id(series("up", &[("a", "1"), ("b", "2")]));
    assert_eq!(plain, id(series("up", &[("b", "2"), ("a", "1")])));
    assert_ne!(plain, id(series("up", &[("a", "1"), ("b", "3")])));
    assert_ne!(plain, id(series("down", &[("a", "1"), ("b", "2")])));
    let mut of_tenant = series("up", &[("a", "1"), ("b", "2")]);
    give_to(&mut of_tenant, Some("team"));
    assert_ne!(plain, id(of_tenant));
    // Whatever release wrote it: it is in people's databases.
    assert_eq!(
        id(series("up", &[])),
        [
            0xdd, 0x91, 0x16, 0x21, 0x6b, 0xa4, 0xa4, 0x25, 0x66, 0xd3, 0xca, 0x96, 0x62, 0xdd,
            0xe0, 0x68
        ]
    );
}

#[test]
fn errors_mean_what_their_class_says() {
    let judged = |code: SqlState| judge(&code, "words".to_owned());
    for code in [
        SqlState::CHARACTER_NOT_IN_REPERTOIRE,
        SqlState::UNTRANSLATABLE_CHARACTER,
        SqlState::DATETIME_FIELD_OVERFLOW,
    ] {
        assert!(matches!(
            judged(code),
            Trouble::Refused {
                reason: "invalid",
                ..
            }
        ));
    }
    for code in [
        SqlState::INVALID_PASSWORD,
        SqlState::INVALID_CATALOG_NAME,
        SqlState::UNDEFINED_TABLE,
        SqlState::UNDEFINED_COLUMN,
        SqlState::INSUFFICIENT_PRIVILEGE,
    ] {
        assert!(matches!(judged(code), Trouble::Misconfigured(_)));
    }
    for code in [
        SqlState::ADMIN_SHUTDOWN,
        SqlState::CANNOT_CONNECT_NOW,
        SqlState::DISK_FULL,
        SqlState::T_R_DEADLOCK_DETECTED,
        SqlState::READ_ONLY_SQL_TRANSACTION,
        SqlState::TOO_MANY_CONNECTIONS,
        SqlState::DUPLICATE_TABLE,
        SqlState::UNIQUE_VIOLATION,
    ] {
        assert!(matches!(judged(code), Trouble::Later(_)));
    }
}

#[tokio::test]
async fn a_batch_of_too_many_days_is_refused_before_any_server_is_asked() {
    let store = Postgres::new(config("postgresql://u@127.0.0.1:1/d"), "main").unwrap();
    let of_days = |days: i64| {
        let points: Vec<_> = (0..days).map(|day| (day * 86_400_000, 1.0)).collect();
        batch(0, vec![Series::new("x", &[], &points).at(0, 0)])
    };
    let refused = store.write(&of_days(51)).await;
    let message = "samples of 51 days, one transaction takes 50".to_owned();
    let reason = "too_large";
    assert_eq!(refused, Err(WriteError::Refused { reason, message }));
    // Half of them go to the server, which is not there.
    let asked = store.write(&of_days(50)).await;
    assert!(
        matches!(asked, Err(WriteError::Retryable { .. })),
        "{asked:?}"
    );
}

#[test]
fn a_transaction_that_began_before_everything_was_forgotten_says_nothing() {
    let mut known = Known::default();
    let before = known.forgotten;
    known.extend(&[[1; 16]], before);
    known.clear();
    known.extend(&[[2; 16]], before);
    assert!(known.ids.is_empty());
    known.extend(&[[3; 16]], known.forgotten);
    assert!(known.ids.contains(&[3; 16]));
}

#[test]
fn a_day_without_a_partition_holds_nobody_up() {
    assert_eq!(
        judge(&SqlState::CHECK_VIOLATION, "words".to_owned()),
        Trouble::Refused {
            reason: "no_partition",
            message: "words".to_owned()
        }
    );
}

#[test]
fn settings_that_cannot_work_are_named() {
    let good = config("postgresql://u@h/d");
    assert_eq!(good.check(), Ok(()));
    assert!(Postgres::new(good.clone(), "main").is_ok());
    let refused = |change: &dyn Fn(&mut Config), key: &str, why: &str| {
        let mut config = good.clone();
        change(&mut config);
        let (found, said) = config.check().unwrap_err();
        assert_eq!(found, key, "{said}");
        assert!(said.contains(why), "{said}");
    };
    refused(&|it| it.url.clear(), "url", "required");
    refused(&|it| it.url = "http://h".to_owned(), "url", "postgresql://");
    refused(&|it| it.url = "postgresql://h/d".to_owned(), "url", "user");
    refused(
        &|it| it.url = "postgresql://u:hunter2@h/d".to_owned(),
        "url",
        "must not contain a password",
    );
    refused(&|it| it.table = "x".repeat(41), "table", "40 bytes");
    refused(&|it| it.schema.clear(), "schema", "bytes");
    refused(
        &|it| it.retention = service::units::Period::secs(60),
        "retention",
        "1d",
    );
    refused(
        &|it| it.tls.insecure_skip_verify = true,
        "tls.insecure_skip_verify",
        "ca_file",
    );
    refused(&|it| it.shards = 0, "shards", "more than 0");
}
