//! Against a real `PostgreSQL`.

use service::secret::Secret;
use service::units::Period;
use testkit::Postgres as Server;

use super::{Config, Postgres, Series, batch, config, give_to};
use crate::{Item, Write as _, WriteError};

const AT: i64 = 1_700_000_000_123;

fn settings(server: &Server) -> Config {
    Config {
        password: Some(Secret::new("secret")),
        ..config(&server.url())
    }
}

async fn write(store: &Postgres, items: &[Item]) -> Result<(), WriteError> {
    store.write(&batch(0, items.to_vec())).await
}

#[track_caller]
fn check_retryable(result: Result<(), WriteError>, words: &str) {
    match result {
        Err(WriteError::Retryable { message, .. }) if message.contains(words) => {}
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn check_refused(result: Result<(), WriteError>, expected: &str) {
    match result {
        Err(WriteError::Refused { reason, .. }) if reason == expected => {}
        other => panic!("{other:?}"),
    }
}

fn items() -> Vec<Item> {
    let mut first = Series::new("cpu", &[("host", "a\"b"), ("zone", "é")], &[(AT, 0.1)]).at(0, 0);
    give_to(&mut first, Some("team"));
    let mut second = Series::new("up", &[], &[(-1, f64::MAX), (AT + 1, 5e-324)]);
    second.histograms = vec![(AT, vec![0, 255])];
    vec![first, second.at(0, 1)]
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tables_are_made_and_keep_what_was_written() {
    let server = Server::start();
    let store = Postgres::new(settings(&server), "main").unwrap();
    write(&store, &items()).await.unwrap();
    // Repeats, by this process and by one that knows nothing.
    write(&store, &items()).await.unwrap();
    let another = Postgres::new(settings(&server), "main").unwrap();
    write(&another, &items()).await.unwrap();
    let found = server.query(
        "SELECT metric, labels, round(extract(epoch from time) * 1000), value, histogram, tenant \
         FROM metrics_view ORDER BY metric, time",
    );
    assert_eq!(
        found,
        "cpu|{\"host\": \"a\\\"b\", \"zone\": \"é\"}|1700000000123|0.1||team\n\
         up|{}|-1|1.7976931348623157e+308||\n\
         up|{}|1700000000123|0|\\x00ff|\n\
         up|{}|1700000000124|5e-324||\n"
    );
    let partitions = server.query("SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'metrics'::regclass ORDER BY 1");
    assert_eq!(partitions, "metrics_p19691231\nmetrics_p20231114\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sample_that_no_row_can_hold_is_refused() {
    let server = Server::start();
    let store = Postgres::new(settings(&server), "main").unwrap();
    let zero = Series::new("x", &[("label", "a\0b")], &[(AT, 1.0)]).at(0, 0);
    check_refused(write(&store, &[zero]).await, "invalid");
    let never = Series::new("x", &[], &[(i64::MAX, 1.0)]).at(0, 0);
    check_refused(write(&store, &[never]).await, "invalid");
    let far = Series::new("x", &[], &[(1_000_000_000_000_000, 1.0)]).at(0, 0);
    check_refused(write(&store, &[far]).await, "invalid");
    // The session that it was refused in does no harm.
    write(&store, &items()).await.unwrap();
    assert_eq!(server.query("SELECT count(*) FROM metrics"), "4\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_says_about_us_is_no_refusal_of_samples() {
    let server = Server::start();
    let good = settings(&server);
    let with = |change: &dyn Fn(&mut Config)| {
        let mut config = good.clone();
        change(&mut config);
        Postgres::new(config, "main").unwrap()
    };
    let wrong = with(&|it| it.password = Some(Secret::new("wrong")));
    check_retryable(write(&wrong, &items()).await, "28P01");
    let elsewhere =
        with(&|it| it.url = it.url.trim_end_matches("postgres").to_owned() + "elsewhere");
    check_retryable(write(&elsewhere, &items()).await, "3D000");
    let no_schema = with(&|it| it.schema = "elsewhere".to_owned());
    check_retryable(write(&no_schema, &items()).await, "3F000");
    let no_table = with(&|it| it.create_table = false);
    check_retryable(write(&no_table, &items()).await, "there is no table");
    let store = with(&|_| {});
    write(&store, &items()).await.unwrap();
    server.query("DROP TABLE metrics CASCADE");
    check_retryable(write(&store, &items()).await, "42P01");
    write(&store, &items()).await.unwrap();
    assert_eq!(server.query("SELECT count(*) FROM metrics_view"), "4\n");
    server.process().kill();
    // A session outlives its server for a moment, and may still say why it ends.
    check_retryable(write(&store, &items()).await, "");
    check_retryable(write(&with(&|_| {}), &items()).await, "did not answer");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_session_takes_nothing_for_known() {
    let server = Server::start();
    let store = Postgres::new(settings(&server), "main").unwrap();
    write(&store, &items()).await.unwrap();
    // As after a failover to a replica that lacks the last commits.
    server.query("DELETE FROM metrics_series");
    server.query("DROP TABLE metrics_p20231114");
    server.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'sluice'",
    );
    // The first may still be in the session that ended.
    if write(&store, &items()).await.is_err() {
        write(&store, &items()).await.unwrap();
    }
    assert_eq!(server.query("SELECT count(*) FROM metrics_view"), "4\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn days_past_the_retention_are_dropped() {
    let server = Server::start();
    let mut config = settings(&server);
    config.retention = Period::secs(30 * 86_400);
    let now_ms = service::clock::now_ms();
    let of = |at_ms: i64| Series::new("x", &[], &[(at_ms, 1.0)]).at(0, 0);
    let keeping = Postgres::new(settings(&server), "main").unwrap();
    write(&keeping, &[of(AT), of(now_ms - 29 * 86_400_000)])
        .await
        .unwrap();
    let store = Postgres::new(config, "main").unwrap();
    write(&store, &[of(now_ms)]).await.unwrap();
    assert_eq!(server.query("SELECT count(*) FROM metrics"), "2\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_of_somebodys_own_is_used_as_it_is() {
    let server = Server::start();
    server.query(
        "CREATE TABLE own_series (id uuid PRIMARY KEY, metric text, labels jsonb, tenant text); \
         CREATE TABLE own (series uuid, time timestamptz, value float8, histogram bytea, PRIMARY KEY (series, time))",
    );
    let mut config = settings(&server);
    config.table = "own".to_owned();
    config.create_table = false;
    let store = Postgres::new(config, "main").unwrap();
    write(&store, &items()).await.unwrap();
    assert_eq!(
        server.query("SELECT count(*) FROM own JOIN own_series ON id = series"),
        "4\n"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_is_encrypted_to_a_server_whose_certificate_is_known() {
    let server = Server::start();
    let mut config = settings(&server);
    config.url.push_str("?sslmode=require");
    let stranger = Postgres::new(config.clone(), "main").unwrap();
    check_retryable(write(&stranger, &items()).await, "certificate");
    config.tls.ca_file = Some(server.certificate());
    let store = Postgres::new(config, "main").unwrap();
    write(&store, &items()).await.unwrap();
    let encrypted = "SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'sluice'";
    assert_eq!(server.query(encrypted), "t\n");
}
