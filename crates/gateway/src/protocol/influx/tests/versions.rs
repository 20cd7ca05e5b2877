//! The three ways to write, when all goes well and when not.

use buffer::PublishError;
use http::Request;
use service::units::Size;

use super::*;
use crate::fake::Then;

/// Two good lines and two bad ones; the last is bad by the rules of the pipeline.
const MIXED: &str =
    "good x=1\nbad x=\ngood x=2 1700000000001000000\nlate x=1 1800000000000000000\n";

#[tokio::test(start_paused = true)]
async fn lines_are_stored_and_answered_with_204() {
    for path in PATHS {
        let server = server();
        let body = "cpu,host=a idle=1.5,value=2i 1699999999999999999\n# comment\n\nup value=t\n";
        let answer = post(&server, path, body).await;
        assert_eq!((answer.status.as_u16(), answer.text()), (204, ""), "{path}");
        assert_eq!(answer.header("sluice-durability"), Some("local"));
        assert_eq!(answer.header("x-influxdb-version"), Some("1.8.0"));
        assert_eq!(answer.header("x-influxdb-build"), Some("sluice"));
        assert_eq!(
            stored(&server),
            ["cpu_idle{host=a} 1.5 @-1", "cpu{host=a} 2 @-1", "up{} 1 @0"]
        );
    }
}

#[tokio::test(start_paused = true)]
async fn an_empty_body_is_a_success_of_nothing() {
    let server = server();
    for path in PATHS {
        assert_eq!(post(&server, path, "").await.status, 204);
        assert_eq!(post(&server, path, "# nothing\n").await.status, 204);
    }
}

#[tokio::test(start_paused = true)]
async fn version_1_names_bad_lines_in_body_and_header_and_stores_the_good_ones() {
    let server = server();
    let answer = post(&server, "/write?db=d", MIXED).await;
    assert_eq!(answer.status, 400);
    let error = "partial write: line 2: unable to parse 'bad x=': field \"x\" has no value\n\
                 line 4: refused 'late x=1 1800000000000000000': timestamp 1800000000000 is \
                 100000000 s ahead of the gateway's clock, the limit is 600 s dropped=2";
    assert_eq!(answer.json(), serde_json::json!({ "error": error }));
    assert_eq!(
        answer.header("x-influxdb-error").unwrap(),
        error.replace('\n', "?")
    );
    assert_eq!(answer.header("x-influxdb-version"), Some("1.8.0"));
    assert_eq!(answer.header("sluice-durability"), Some("local"));
    assert_eq!(stored(&server), ["good_x{db=d} 1 @0", "good_x{db=d} 2 @1"]);
}

#[tokio::test(start_paused = true)]
async fn version_2_has_a_code_and_a_message() {
    let server = server();
    let answer = post(&server, "/api/v2/write?org=o&bucket=b", MIXED).await;
    assert_eq!(answer.status, 400);
    let body = answer.json();
    assert_eq!(body["code"], "invalid");
    assert_eq!(body["line"], 2);
    let message = body["message"].as_str().unwrap();
    assert!(
        message.starts_with("partial write: line 2: unable to parse 'bad x=': "),
        "{message}"
    );
    assert_eq!(stored(&server), ["good_x{db=b} 1 @0", "good_x{db=b} 2 @1"]);
}

#[tokio::test(start_paused = true)]
async fn version_3_lists_the_bad_lines() {
    let server = server();
    let answer = post(&server, "/api/v3/write_lp?db=d", MIXED).await;
    assert_eq!(answer.status, 400);
    assert_eq!(
        answer.json(),
        serde_json::json!({
            "error": "partial write of line protocol occurred",
            "data": [
                {
                    "error_message": "field \"x\" has no value",
                    "line_number": 2,
                    "original_line": "bad x="
                },
                {
                    "error_message": "timestamp 1800000000000 is 100000000 s ahead of the \
                                      gateway's clock, the limit is 600 s",
                    "line_number": 4,
                    "original_line": "late x=1 1800000000000000000"
                }
            ]
        })
    );
    assert_eq!(stored(&server).len(), 2);
}

#[tokio::test(start_paused = true)]
async fn version_3_stores_nothing_of_a_bad_body_when_told_so() {
    let server = server();
    let uri = "/api/v3/write_lp?db=d&accept_partial=false&no_sync=true";
    let answer = post(&server, uri, MIXED).await;
    assert_eq!(answer.status, 400);
    assert_eq!(
        answer.json(),
        serde_json::json!({
            "error": "parsing failed for write_lp endpoint",
            "data": {
                "error_message": "field \"x\" has no value",
                "line_number": 2,
                "original_line": "bad x="
            }
        })
    );
    assert_eq!(stored(&server), [""; 0]);
    assert_eq!(post(&server, uri, "good x=1").await.status, 204);
    let answer = post(&server, "/api/v3/write_lp?accept_partial=maybe", "good x=1").await;
    assert_eq!(
        answer.text(),
        r#"{"data":null,"error":"accept_partial is \"maybe\"; write accept_partial=true or accept_partial=false"}"#
    );
}

#[tokio::test(start_paused = true)]
async fn a_body_of_bad_lines_alone_is_a_partial_write_of_nothing() {
    for path in PATHS {
        let server = server();
        let answer = post(&server, path, "cpu\ncpu x=y").await;
        assert_eq!(answer.status, 400, "{path}");
        // Telegraf drops what is answered with these words, and repeats for ever what is not.
        assert!(answer.text().contains("partial write"), "{path}");
        assert_eq!(answer.header("sluice-durability"), None);
    }
}

#[tokio::test(start_paused = true)]
async fn beyond_a_hundred_bad_lines_only_their_number_is_told() {
    let server = server();
    let answer = post(&server, "/write", "bad\n".repeat(150)).await;
    let error = answer.json()["error"].as_str().unwrap().to_owned();
    assert!(
        error.ends_with("\nand 50 lines more dropped=150"),
        "{error}"
    );
    assert_eq!(error.matches("unable to parse").count(), 100);
    assert!(answer.header("x-influxdb-error").unwrap().len() <= 1024);
}

#[tokio::test(start_paused = true)]
async fn a_bad_line_is_shown_shortened_and_printable() {
    let server = server();
    let body = format!(
        "m{} x=\r\n\u{1b}[31mé x=y\nb\u{7}\u{fffd}d",
        "é".repeat(200)
    );
    let answer = post(&server, "/write", body).await;
    let error = answer.json()["error"].as_str().unwrap().to_owned();
    assert!(
        error.contains(&format!("'m{}…'", "é".repeat(99))),
        "{error}"
    );
    assert!(answer.header("x-influxdb-error").unwrap().is_ascii());
}

#[tokio::test(start_paused = true)]
async fn every_precision_of_every_version_is_understood() {
    for (precision, text) in [
        ("n", "1699999999000000000"),
        ("ns", "1699999999000000000"),
        ("nanosecond", "1699999999000000000"),
        ("u", "1699999999000000"),
        ("us", "1699999999000000"),
        ("microsecond", "1699999999000000"),
        ("ms", "1699999999000"),
        ("millisecond", "1699999999000"),
        ("s", "1699999999"),
        ("second", "1699999999"),
        ("auto", "1699999999"),
    ] {
        for path in PATHS {
            let server = server();
            let uri = format!("{path}?precision={precision}");
            let answer = post(&server, &uri, format!("m x=1 {text}")).await;
            assert_eq!(answer.status, 204, "{uri} {}", answer.text());
            assert_eq!(stored(&server), ["m_x{} 1 @-1000"], "{uri}");
        }
    }
    let server = server();
    assert_eq!(
        post(&server, "/write?precision=m", "m x=1 28333333")
            .await
            .status,
        204
    );
    assert_eq!(
        post(&server, "/write?precision=h", "m x=1 472222")
            .await
            .status,
        204
    );
    let answer = post(&server, "/api/v2/write?precision=fortnight", "m x=1").await;
    assert_eq!(
        answer.text(),
        r#"{"code":"invalid","message":"precision is \"fortnight\"; it can be ns, us, ms, s, m, h or auto"}"#
    );
}

#[tokio::test(start_paused = true)]
async fn a_forgotten_precision_is_recognised() {
    let server = server();
    let answer = post(&server, "/write", "m x=1 1699999999").await;
    let error = answer.json()["error"].as_str().unwrap().to_owned();
    assert!(
        error.contains("but looks like seconds; say precision=s"),
        "{error}"
    );
    // Version 3 tells the unit by itself.
    assert_eq!(
        post(&server, "/api/v3/write_lp", "m x=1 1699999999")
            .await
            .status,
        204
    );
}

#[tokio::test(start_paused = true)]
async fn our_faults_ask_for_all_of_it_again_in_each_shape() {
    for (path, key) in [
        ("/write", "error"),
        ("/api/v2/write", "message"),
        ("/api/v3/write_lp", "error"),
    ] {
        let lost = Then::Fail(PublishError::Unconfirmed("gone".to_owned()));
        let server = Server::start(&Config::default(), FakeBuffer::that(lost));
        let answer = post(&server, path, "m x=1").await;
        assert_eq!(answer.status, 503, "{path}");
        assert!(matches!(
            answer.header("retry-after"),
            Some("1" | "2" | "3" | "4")
        ));
        assert_eq!(answer.header("sluice-durability"), None);
        assert_eq!(
            answer.json()[key],
            "the buffer did not confirm the record: gone; send all of it again"
        );
        if path == "/api/v2/write" {
            assert_eq!(answer.json()["code"], "unavailable");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_too_large_or_unreadable_is_refused_in_each_shape() {
    let server = server_with(|config| {
        config.http.max_body = Size(20);
        config.limits.max_samples = 2;
    });
    for (path, code) in [
        ("/write", None),
        ("/api/v2/write", Some("request too large")),
        ("/api/v3/write_lp", None),
    ] {
        let answer = post(&server, path, "m x=1 1700000000000000000").await;
        assert_eq!(answer.status, 413, "{path}");
        assert_eq!(answer.json()["code"].as_str(), code);
        let answer = post(&server, path, "m a=1,b=2,c=3").await;
        assert_eq!(answer.status, 413, "{path}");
        assert_eq!(answer.json()["code"].as_str(), code);
    }
    for (encoding, status) in [("br", 415), ("gzip", 400), ("identity", 204)] {
        for path in PATHS {
            let request = Request::post(path)
                .header("content-encoding", encoding)
                .body(Body::from("m x=1"))
                .unwrap();
            assert_eq!(
                server.send(request).await.status,
                status,
                "{path} {encoding}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn content_types_do_not_matter() {
    let server = server();
    for content_type in [
        "text/plain; charset=utf-8",
        "application/x-www-form-urlencoded",
        "application/octet-stream",
        "application/json",
    ] {
        for path in PATHS {
            let request = Request::post(path)
                .header("content-type", content_type)
                .body(Body::from("m x=1"))
                .unwrap();
            assert_eq!(server.send(request).await.status, 204);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_password_or_token_names_the_tenant() {
    let server = server_with(|config| {
        let key = crate::KeyConfig {
            sha256: crate::hash_key("geheim"),
            tenant: Some("team-a".to_owned()),
            ..crate::KeyConfig::default()
        };
        config.access.keys.insert("telegraf".to_owned(), key);
    });
    let request = Request::post("/api/v2/write?bucket=b")
        .header("authorization", "Token geheim")
        .body(Body::from("m x=1"))
        .unwrap();
    assert_eq!(server.send(request).await.status, 204);
    assert_eq!(
        post(&server, "/write?db=b&u=x&p=geheim", "m x=1")
            .await
            .status,
        204
    );
    assert_eq!(
        post(&server, "/tenants/team-a/write?db=b", "m x=1")
            .await
            .status,
        204
    );
    for record in server.buffer.confirmed() {
        assert_eq!(record.tenant.as_deref(), Some("team-a"));
    }
}
