//! Against Debian's server of 2018, and against the engine of a new release.

use service::secret::Secret;
use testkit::ClickHouse as Server;

use super::{ClickHouse, Config, LabelColumn, Series, batch, config, give_to};
use crate::clickhouse::Compression;
use crate::endpoint::BasicAuth;
use crate::{Item, Write as _, WriteError};

const AT: i64 = 1_700_000_000_123;

async fn write(config: Config, items: &[Item]) -> Result<(), WriteError> {
    let store = ClickHouse::new(config, "main").unwrap();
    store.write(&batch(0, items.to_vec())).await
}

#[track_caller]
fn check_retryable(result: Result<(), WriteError>, words: &str) {
    match result {
        Err(WriteError::Retryable { message, .. }) if message.contains(words) => {}
        other => panic!("{other:?}"),
    }
}

fn items() -> Vec<Item> {
    let mut first = Series::new("cpu", &[("host", "a\"b"), ("zone", "é")], &[(AT, 0.1)]).at(0, 0);
    give_to(&mut first, Some("team"));
    let mut second = Series::new("up", &[], &[(-1, f64::MAX), (AT, 5e-324)]);
    second.histograms = vec![(AT, vec![0, 255])];
    vec![first, second.at(0, 1)]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_release_creates_the_table_and_keeps_what_was_written() {
    let server = Server::new_release();
    let mut config = config(&server.url());
    // Repeats in both compressions.
    for compression in [Compression::Zstd, Compression::Gzip, Compression::None] {
        config.compression = compression;
        write(config.clone(), &items()).await.unwrap();
    }
    let found = server.query(
        "SELECT metric, labels, toUnixTimestamp64Milli(time), value, hex(histogram), tenant FROM metrics FINAL \
         ORDER BY metric, time, histogram",
    );
    assert_eq!(
        found,
        "cpu\t{'host':'a\"b','zone':'é'}\t1700000000123\t0.1\tNULL\tteam\n\
         up\t{}\t-1\t1.7976931348623157e308\tNULL\tNULL\n\
         up\t{}\t1700000000123\t0\t00FF\tNULL\n"
            .replace("NULL", "\\N")
            .replace("\tNULL", "\t")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_release_drops_rows_past_the_retention() {
    let server = Server::new_release();
    let mut config = config(&server.url());
    config.retention = service::units::Period::secs(20 * 365 * 86_400);
    write(config, &items()).await.unwrap();
    server.query("OPTIMIZE TABLE metrics FINAL");
    let kept = server.query("SELECT metric, value FROM metrics FINAL ORDER BY metric, time");
    assert!(kept.starts_with("cpu\t0.1\nup\t0\n"), "{kept}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_release_that_lacks_the_table_is_asked_again() {
    let server = Server::new_release();
    let mut config = config(&server.url());
    config.create_table = false;
    let store = ClickHouse::new(config.clone(), "main").unwrap();
    let batch = batch(0, items());
    check_retryable(
        store.write(&batch).await,
        "there is no table default.metrics",
    );
    server.query(
        "CREATE TABLE metrics (metric String, value Float32) ENGINE = MergeTree ORDER BY metric",
    );
    check_retryable(store.write(&batch).await, "has no column labels");
    server.query("DROP TABLE metrics");
    config.create_table = true;
    write(config, &items()).await.unwrap();
    store.write(&batch).await.unwrap();
    server.query("DROP TABLE metrics");
    check_retryable(
        store.write(&batch).await,
        "create the database and the table",
    );
    check_retryable(store.write(&batch).await, "there is no table");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_of_too_many_days_is_taken_in_parts() {
    let server = Server::new_release();
    let days: Vec<(i64, f64)> = (0..150).map(|day| (day * 86_400_000, 1.0)).collect();
    let days = Series::new("up", &[], &days).at(0, 0);
    match write(config(&server.url()), &[days]).await {
        Err(WriteError::Refused {
            reason: "too_large",
            ..
        }) => {}
        other => panic!("{other:?}"),
    }
}

/// What a server of 2018 can have.
fn old(server: &Server) -> Config {
    server.query(
        "CREATE TABLE IF NOT EXISTS metrics (metric String, labels String, time Int64, value Float64, \
         histogram Nullable(String), tenant Nullable(String)) ENGINE = ReplacingMergeTree() \
         PARTITION BY intDiv(time, 86400000) ORDER BY (metric, labels, time)",
    );
    Config {
        create_table: false,
        labels: LabelColumn::Json,
        compression: Compression::Gzip,
        settings: std::collections::BTreeMap::new(),
        ..config(&server.url())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_of_2018_takes_rows_with_labels_in_json() {
    let server = Server::start();
    let config = old(&server);
    for _ in 0..2 {
        write(config.clone(), &items()).await.unwrap();
    }
    let found = server.query(
        "SELECT metric, labels, time, value, tenant FROM metrics FINAL WHERE value != 0 ORDER BY metric, time FORMAT TabSeparatedRaw",
    );
    assert!(
        found.starts_with("cpu\t{\"host\":\"a\\\"b\",\"zone\":\"é\"}\t1700000000123\t0.1\tteam\n"),
        "{found}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_server_says_about_us_is_no_refusal_of_samples() {
    let server = Server::start();
    let good = old(&server);
    let as_user = |username: &str, password: &str| Config {
        basic_auth: Some(BasicAuth {
            username: username.to_owned(),
            password: Some(Secret::new(password)),
            password_file: None,
        }),
        ..good.clone()
    };
    check_retryable(write(as_user("writer", "wrong"), &items()).await, "401");
    check_retryable(
        write(as_user("nobody", "secret"), &items()).await,
        "check the store's basic_auth",
    );
    check_retryable(
        write(as_user("reader", "secret"), &items()).await,
        "readonly",
    );
    write(as_user("writer", "secret"), &items()).await.unwrap();
    let with = |change: fn(&mut Config)| {
        let mut config = good.clone();
        change(&mut config);
        config
    };
    let unknown = with(|it| {
        it.settings.insert("bogus".to_owned(), "1".to_owned());
    });
    check_retryable(write(unknown, &items()).await, "Unknown setting bogus");
    let newer = with(|it| it.compression = Compression::Zstd);
    check_retryable(write(newer, &items()).await, "zstd");
    let elsewhere = with(|it| it.database = "elsewhere".to_owned());
    check_retryable(
        write(elsewhere, &items()).await,
        "there is no table elsewhere.metrics",
    );
    let created = with(|it| {
        it.database = "elsewhere".to_owned();
        it.create_table = true;
    });
    check_retryable(write(created, &items()).await, "the store answered");
    let short_of_memory = with(|it| {
        it.settings
            .insert("max_memory_usage".to_owned(), "1".to_owned());
    });
    check_retryable(write(short_of_memory, &items()).await, "Memory limit");
    server.process().kill();
    check_retryable(write(good, &items()).await, "did not answer");
}
