//! Checks that what is written is read back, from the real server.

use std::time::Duration;

use crate::{VictoriaMetrics, http};

const AT_MS: i64 = 1_700_000_000_000;

fn import(store: &VictoriaMetrics, line: &str) {
    let answer =
        http::request(store.port(), "POST", "/api/v1/import", &[], line.as_bytes()).unwrap();
    assert_eq!(answer.status, 204, "{}", answer.text());
}

#[test]
fn a_sample_that_was_just_written_is_read_back_once_and_survives_a_restart() {
    let mut store = VictoriaMetrics::start();
    let line = format!(
        r#"{{"metric":{{"__name__":"cpu.usage","host":"a \"b\""}},"values":[1.5,-2],"timestamps":[{AT_MS},{}]}}"#,
        AT_MS + 1
    );
    import(&store, &line);
    import(&store, &line);

    let found = store.export(r#"{__name__="cpu.usage"}"#);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].label("host"), "a \"b\"");
    assert_eq!(found[0].samples, [(AT_MS, 1.5), (AT_MS + 1, -2.0)]);

    let now = store.query(r#"sum({__name__="cpu.usage"})"#, AT_MS + 2);
    assert_eq!(now[0].samples, [(AT_MS + 2, -2.0)]);
    let minutes = store.query_range("vector(1)", AT_MS, AT_MS + 120_000, Duration::from_secs(60));
    assert_eq!(minutes[0].samples.len(), 3);

    store.restart();
    assert_eq!(store.export(r#"{__name__="cpu.usage"}"#), found);
    assert_eq!(store.export(r#"{__name__="nothing"}"#), []);
    assert!(store.write_url().ends_with("/api/v1/write"));
}
