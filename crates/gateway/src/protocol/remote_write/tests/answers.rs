//! Status codes, headers and texts.

use buffer::PublishError;

use super::*;
use crate::fake::Then;

#[tokio::test]
async fn a_good_request_is_204_without_a_body_on_every_path() {
    for path in [
        "/api/v1/write",
        "/api/v1/push",
        "/receive",
        "/api/v1/receive",
        "/api/prom/push",
        "/api/v1/prom/remote/write",
        "/prometheus/api/v1/write",
        "/tenants/a/api/v1/write",
    ] {
        let server = server();
        let body = compress(&body(vec![series("up", 1.0)]));
        let headers = [SNAPPY, ("content-type", V1)];
        let answer = send_to(&server, path, &headers, body).await;
        assert_eq!((answer.status.as_u16(), answer.text()), (204, ""), "{path}");
        assert_eq!(answer.header("sluice-durability"), Some("local"));
        assert_eq!(written(&answer), [None; 3]);
        assert_eq!(server.buffer.confirmed().len(), 1);
    }
}

#[tokio::test]
async fn version_2_says_what_was_written() {
    let server = server();
    let headers = [SNAPPY, ("content-type", V2)];
    let answer = send(&server, &headers, compress(&v2_body(false))).await;
    assert_eq!((answer.status.as_u16(), answer.text()), (204, ""));
    assert_eq!(written(&answer), [Some("1"), Some("1"), Some("1")]);
}

#[tokio::test]
async fn good_samples_beside_a_bad_one_are_stored_and_the_answer_is_400() {
    let server = server();
    let headers = [SNAPPY, ("content-type", V2)];
    let answer = send(&server, &headers, compress(&v2_body(true))).await;
    assert_eq!(answer.status, 400);
    assert_eq!(written(&answer), [Some("1"), Some("1"), Some("1")]);
    assert_eq!(
        answer.text(),
        "1 of 3 samples were refused and the others stored: 1 metric_name_missing; the first is \
         sample 0: the series has no label \"__name__\"\n"
    );
    assert_eq!(
        answer.header("content-type"),
        Some("text/plain; charset=utf-8")
    );
    assert_eq!(server.buffer.confirmed().len(), 2);
}

#[tokio::test]
async fn many_bad_samples_are_counted_by_reason() {
    let server = server();
    let late = v1::TimeSeries {
        samples: vec![v1::Sample {
            value: 1.0,
            timestamp: NOW_MS + 3_600_000,
        }],
        ..series("late", 1.0)
    };
    let mut all = vec![late; 12];
    all.push(v1::TimeSeries {
        labels: vec![],
        ..series("", 1.0)
    });
    let answer = send(&server, &[], compress(&body(all))).await;
    assert_eq!(answer.status, 400);
    let lines: Vec<&str> = answer.text().lines().collect();
    assert_eq!(
        lines[0],
        "all 13 samples were refused: 12 timestamp_in_future, 1 metric_name_missing; the first is sample 0 \
         (\"late\"): timestamp 1700003600000 is 3600 s ahead of the gateway's clock, the limit is 600 s"
    );
    assert_eq!((lines.len(), lines[10]), (11, "and 3 more"));
    assert!(server.buffer.confirmed().is_empty());
}

#[tokio::test]
async fn what_the_header_says_of_the_body_decides_how_it_is_read() {
    let plain = body(vec![series("up", 1.0)]);
    let gzip = codec::deflate::gzip(&plain);
    let zstd = zstd::bulk::compress(&plain, 3).unwrap();
    let snappy = compress(&plain);
    for (headers, body) in [
        (vec![], &snappy),
        (vec![("content-encoding", "Snappy")], &snappy),
        (vec![("content-encoding", "zstd")], &zstd),
        // What waited in vmagent's queue goes out under the name of the other compression.
        (vec![("content-encoding", "zstd")], &snappy),
        (vec![SNAPPY], &zstd),
        (vec![("content-encoding", "gzip")], &gzip),
        (vec![("content-encoding", "identity")], &plain),
        (
            vec![(
                "content-type",
                "application/x-protobuf; charset=utf-8; proto=\"prometheus.WriteRequest\"",
            )],
            &snappy,
        ),
    ] {
        let server = server();
        let answer = send(&server, &headers, body.clone()).await;
        assert_eq!(answer.status, 204, "{headers:?}: {}", answer.text());
        assert_eq!(server.buffer.confirmed().len(), 1);
    }
}

#[tokio::test]
async fn unknown_types_and_encodings_are_415() {
    let server = server();
    for (headers, text) in [
        (
            vec![("content-type", "application/json")],
            "content type \"application/json\" is not read here; send application/x-protobuf, with \
             proto=io.prometheus.write.v2.Request for version 2.0\n",
        ),
        (
            vec![(
                "content-type",
                "application/x-protobuf;proto=io.prometheus.write.v3.Request",
            )],
            "content type \"application/x-protobuf;proto=io.prometheus.write.v3.Request\" is not read here; \
             send application/x-protobuf, with proto=io.prometheus.write.v2.Request for version 2.0\n",
        ),
        (
            vec![("content-encoding", "br")],
            "content encoding \"br\" is not read here; send snappy (block format)\n",
        ),
        (
            vec![("content-type", V2), ("content-encoding", "gzip")],
            "content encoding \"gzip\" is not read here; send snappy (block format)\n",
        ),
    ] {
        let answer = send(&server, &headers, b"0".to_vec()).await;
        assert_eq!((answer.status.as_u16(), answer.text()), (415, text));
    }
    let headers = [("content-type", V2), ("content-encoding", "deflate")];
    let answer = send(&server, &headers, b"0".to_vec()).await;
    assert_eq!(written(&answer), [Some("0"); 3]);
}

#[tokio::test]
async fn bodies_that_cannot_be_read_are_400_with_a_hint() {
    let server = server();
    for (body, text) in [
        (
            b"\xff\x06\x00\x00sNaPpY\x01".to_vec(),
            "the body is not valid snappy: this is the framed format; remote write uses the block format\n",
        ),
        (
            compress(b"\x0a\x05"),
            "the body is not a prometheus.WriteRequest: a field breaks off\n",
        ),
    ] {
        let answer = send(&server, &[SNAPPY], body).await;
        assert_eq!((answer.status.as_u16(), answer.text()), (400, text));
    }
    let answer = send(&server, &[SNAPPY], b"hello".to_vec()).await;
    assert_eq!(answer.status, 400);
}

#[tokio::test]
async fn a_block_that_claims_too_much_is_413() {
    let mut config = Config::default();
    config.http.max_inflated = service::units::Size(100);
    let server = Server::start(&config, FakeBuffer::default());
    let body = compress(&[0; 101]);
    let answer = send(&server, &[SNAPPY, ("content-type", V2)], body).await;
    assert_eq!(
        (answer.status.as_u16(), answer.text()),
        (
            413,
            "the body has more than 100 bytes when decompressed; send several smaller ones\n"
        )
    );
    assert_eq!(written(&answer), [Some("0"); 3]);
}

#[tokio::test]
async fn our_own_faults_are_503_and_say_when_to_come_back() {
    let buffer = FakeBuffer::that(Then::Fail(PublishError::QueueFull));
    let server = Server::start(&Config::default(), buffer);
    let headers = [SNAPPY, ("content-type", V2)];
    let answer = send(&server, &headers, compress(&v2_body(false))).await;
    assert_eq!(answer.status, 503);
    assert!(matches!(
        answer.header("retry-after"),
        Some("1" | "2" | "3" | "4")
    ));
    assert_eq!(written(&answer), [Some("0"); 3]);
}

#[tokio::test]
async fn strict_stores_all_or_nothing() {
    let server = server();
    let headers = [SNAPPY, ("content-type", V2)];
    let uri = "/api/v1/write?strict=true";
    let answer = send_to(&server, uri, &headers, compress(&v2_body(true))).await;
    assert_eq!(answer.status, 400);
    assert_eq!(written(&answer), [Some("0"); 3]);
    assert!(server.buffer.confirmed().is_empty());
}

#[tokio::test]
async fn the_victoria_metrics_agent_is_told_that_it_may_send_zstd() {
    let server = server();
    let headers = [SNAPPY, ("content-type", V1)];
    let uri = "/api/v1/write?get_vm_proto_version=1";
    let answer = send_to(&server, uri, &headers, Vec::new()).await;
    assert_eq!((answer.status.as_u16(), answer.text()), (200, "1"));
}

#[tokio::test]
async fn nothing_but_exemplars_or_metadata_is_204() {
    let server = server();
    let only_exemplar = v1::TimeSeries {
        samples: vec![],
        exemplars: vec![v1::Exemplar {
            labels: vec![label("trace_id", "t")],
            value: 0.5,
            timestamp: NOW_MS,
        }],
        ..series("up", 0.0)
    };
    for body in [Vec::new(), metadata("up", 2), body(vec![only_exemplar])] {
        let answer = send(&server, &[SNAPPY], compress(&body)).await;
        assert_eq!((answer.status.as_u16(), answer.text()), (204, ""));
    }
    assert_eq!(server.buffer.confirmed().len(), 1);
}
