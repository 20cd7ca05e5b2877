//! HTTP/1.1: slow, endless and too much.

use tokio::io::AsyncWriteExt as _;
use tokio::task::JoinSet;

use super::{SHORT, Victim, read_to_end, write_on};
use crate::http::Connections;

#[tokio::test]
async fn hundreds_of_headers_that_trickle_are_cut() {
    let victim = Victim::impatient().await;
    victim
        .beside(async {
            let mut slow = JoinSet::new();
            for _ in 0..300 {
                let mut client = victim.connect().await;
                slow.spawn(async move {
                    let said = b"GET /slow HTTP/1.1\r\n";
                    let mut pace = tokio::time::interval(SHORT / 10);
                    for byte in said.iter().chain(b"x: y\r\n".iter().cycle()) {
                        if client.write_all(&[*byte]).await.is_err() {
                            break;
                        }
                        pace.tick().await;
                    }
                });
            }
            slow.join_all().await;
        })
        .await;
    assert!(victim.served().is_empty());
}

#[tokio::test]
async fn more_connections_than_allowed_wait_without_harm() {
    let victim = Victim::start(Connections {
        max_connections: 100,
        header_timeout: SHORT,
        idle_timeout: SHORT,
    })
    .await;
    victim
        .beside(async {
            let mut silent = Vec::new();
            for _ in 0..500 {
                silent.push(victim.connect().await);
            }
            for mut client in silent {
                read_to_end(&mut client).await;
            }
        })
        .await;
}

#[tokio::test]
async fn a_thousand_idle_connections_leave_room_for_others() {
    let victim = Victim::start(Connections::default()).await;
    let idle = victim
        .beside(async {
            let mut idle = Vec::new();
            for _ in 0..1000 {
                idle.push(victim.connect().await);
            }
            idle
        })
        .await;
    victim.beside(std::future::ready(())).await;
    drop(idle);
}

#[tokio::test]
async fn a_header_without_end_is_refused_after_what_may_be_read_ahead() {
    for line in ["x: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n", "y"] {
        let victim = Victim::start(Connections::default()).await;
        let piece = line.repeat(1000);
        let answer = victim
            .beside(async {
                let mut client = victim.connect().await;
                client.write_all(b"GET /a HTTP/1.1\r\nx: ").await.unwrap();
                // The kernel's buffers hold some megabytes more than the server has read.
                let most = 64 << 20;
                assert!(write_on(&mut client, piece.as_bytes(), most).await < most);
                read_to_end(&mut client).await
            })
            .await;
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 431"),
            "{answer:?}"
        );
        assert!(victim.served().is_empty());
    }
}

#[tokio::test]
async fn more_than_a_hundred_header_lines_are_refused() {
    let victim = Victim::start(Connections::default()).await;
    for (count, status) in [(99, "200"), (100, "431")] {
        let lines = "x: y\r\n".repeat(count);
        let answer = victim
            .talk(format!("GET /a HTTP/1.1\r\nhost: x\r\n{lines}\r\n").as_bytes())
            .await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{count}: {answer:?}"
        );
    }
}

#[tokio::test]
async fn a_path_of_64_kib_is_refused() {
    let victim = Victim::start(Connections::default()).await;
    let path = "a".repeat(65_535);
    let answer = victim
        .talk(format!("GET /{path} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes())
        .await;
    let status = answer.get(9..12).unwrap_or_default();
    assert!(["414", "431"].contains(&status), "{answer:?}");
}

#[tokio::test]
async fn chunk_extensions_and_trailers_without_end_break_the_request() {
    let start = "POST /a HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n";
    for (before, piece) in [
        ("3;", "a=b;"),
        ("0\r\n", "t: vvvvvvvvvvvvvvvvvvvvvvvv\r\n"),
        ("0\r\nt: ", "v"),
    ] {
        let victim = Victim::start(Connections::default()).await;
        victim
            .beside(async {
                let mut client = victim.connect().await;
                client
                    .write_all(format!("{start}{before}").as_bytes())
                    .await
                    .unwrap();
                let most = 64 << 20;
                let written = write_on(&mut client, piece.repeat(1000).as_bytes(), most).await;
                assert!(written < most, "{before:?}");
            })
            .await;
        assert_eq!(victim.served(), ["POST /a broken"], "{before:?}");
    }
}

#[tokio::test]
async fn extensions_of_many_small_chunks_count_together() {
    let victim = Victim::start(Connections::default()).await;
    let start = "POST /a HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n";
    victim
        .beside(async {
            let mut client = victim.connect().await;
            client.write_all(start.as_bytes()).await.unwrap();
            let most = 64 << 20;
            let piece = "1;aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\nx\r\n".repeat(500);
            assert!(write_on(&mut client, piece.as_bytes(), most).await < most);
        })
        .await;
    assert_eq!(victim.served(), ["POST /a broken"]);
}

#[tokio::test]
async fn a_client_that_asks_and_never_reads_is_cut() {
    let victim = Victim::impatient().await;
    victim
        .beside(async {
            let mut client = victim.connect().await;
            let piece = "GET /big HTTP/1.1\r\nhost: x\r\n\r\n".repeat(10);
            let most = 64 << 20;
            assert!(write_on(&mut client, piece.as_bytes(), most).await < most);
        })
        .await;
    // Answers wait for the client, and so do its further requests: what is held is one answer and what the kernel has.
    assert!(victim.served().len() < 100, "{}", victim.served().len());
}
