//! What a VictoriaMetrics exports is imported unchanged, and lands in another one as it was.

use std::fmt::Write as _;

use testkit::http::request;
use testkit::{VictoriaMetrics, eventually};

use crate::sluice::{PATIENCE, Sluice};

const ALL: &str = "{__name__=~\"copy.*\"}";

/// 60 series with 50 samples each, some of which JSON has no number for.
fn fill(store: &VictoriaMetrics) {
    let mut text = String::new();
    for series in 0..60_i64 {
        let name = format!(
            r#"copy_{}{{host="web-{series}",path="a\"b\\é"}}"#,
            series % 7
        );
        for at in 0..50_i64 {
            let value = match at {
                7 => "+Inf".to_owned(),
                8 => "-Inf".to_owned(),
                9 => "-1e-3".to_owned(),
                _ => format!("{}.{at:02}", series * 1_000_003),
            };
            let at_ms = 1_700_000_000_000 + at * 15_000 + series;
            writeln!(text, "{name} {value} {at_ms}").unwrap();
        }
    }
    let target = "/api/v1/import/prometheus";
    let answer = request(store.port(), "POST", target, &[], text.as_bytes()).unwrap();
    assert_eq!(answer.status, 204, "{}", answer.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_is_imported_as_it_is() {
    let (from, to) = (VictoriaMetrics::start(), VictoriaMetrics::start());
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().display().to_string();
    let sluice = Sluice::start(
        "standalone",
        &[
            ("SLUICE_DATA_DIR", &data_dir),
            ("SLUICE_STORES__MAIN__TYPE", "remote_write"),
            ("SLUICE_STORES__MAIN__URL", &to.write_url()),
        ],
    );
    fill(&from);
    let mut expected = from.export(ALL);
    expected.sort_by(|a, b| a.labels.cmp(&b.labels));
    assert_eq!(expected.len(), 60);

    let target = "/api/v1/export?match[]=%7B__name__%3D~%22copy.*%22%7D&start=0&end=9000000000";
    let headers = [("Accept-Encoding", "gzip")];
    let exported = request(from.port(), "GET", target, &headers, b"").unwrap();
    assert_eq!(exported.status, 200);
    let encoding = exported.header("content-encoding").unwrap_or("identity");
    let headers = [("Content-Encoding", encoding)];
    let port = sluice.http_port();
    let imported = request(port, "POST", "/api/v1/import", &headers, &exported.body).unwrap();
    assert_eq!(imported.status, 204, "{}", imported.text());

    eventually(PATIENCE, async || {
        let mut found = to.export(ALL);
        found.sort_by(|a, b| a.labels.cmp(&b.labels));
        if found == expected {
            return Ok(());
        }
        let samples: usize = found.iter().map(|series| series.samples.len()).sum();
        let first = expected.iter().zip(&found).find(|(a, b)| a != b);
        Err(format!("{samples} samples arrived; {first:?}"))
    })
    .await;

    let broken = b"{\"metric\":{\"__name__\":\"copy_x\"},\"values\":[1],\"timestamps\":[1700000000000]}\n{\"metric\"";
    let answer = request(port, "POST", "/api/v1/import", &[], broken).unwrap();
    assert_eq!(answer.status, 400);
    assert_eq!(
        answer.text(),
        "1 of 2 samples was refused; the others are stored\nline 2: the JSON breaks off\n"
    );
}
