//! Requests whose end can be read in two ways: nobody gets a second request past a proxy that saw one.

use super::Victim;
use crate::http::Connections;

/// What is hidden: must never be served.
const HIDDEN: &str = "GET /smuggled HTTP/1.1\r\nhost: x\r\n\r\n";

/// Says a request, then the hidden one behind what one of two readers takes for its end.
async fn check(head: &str, body: &str, statuses: &[&str], served: &[&str]) {
    let victim = Victim::start(Connections::default()).await;
    let said = format!("POST /a HTTP/1.1\r\nhost: x\r\n{head}\r\n\r\n{body}{HIDDEN}");
    let answer = victim.talk(said.as_bytes()).await;
    let found: Vec<&str> = answer
        .match_indices("HTTP/1.1 ")
        .filter_map(|(at, _)| answer.get(at + 9..at + 12))
        .collect();
    assert_eq!(found, statuses, "{head:?}: {answer:?}");
    assert_eq!(victim.served(), served, "{head:?}");
}

/// Refused before a handler sees it, and the connection closed.
async fn refused(head: &str, body: &str) {
    check(head, body, &["400"], &[]).await;
}

#[tokio::test]
async fn a_length_beside_chunks_ends_the_connection_with_the_request() {
    for head in [
        "content-length: 5\r\ntransfer-encoding: chunked",
        "transfer-encoding: chunked\r\ncontent-length: 5",
        "transfer-encoding: chunked\r\ncontent-length: 0\r\nconnection: keep-alive",
    ] {
        check(head, "0\r\n\r\n", &["200"], &["POST /a 0"]).await;
    }
}

#[tokio::test]
async fn lengths_that_are_none_or_several_are_refused() {
    for head in [
        "content-length: 3\r\ncontent-length: 0",
        "content-length: 3, 3",
        "content-length: +3",
        "content-length: -1",
        "content-length: 0x3",
        "content-length: 3 3",
        "content-length: 3;",
        "content-length: ",
        "content-length: 99999999999999999999",
    ] {
        refused(head, "abc").await;
    }
}

#[tokio::test]
async fn codings_that_do_not_end_in_chunks_are_refused() {
    for head in [
        "transfer-encoding: xchunked",
        "transfer-encoding: chunked, identity",
        "transfer-encoding: chunked, gzip",
        "transfer-encoding: identity",
        "transfer-encoding: chunked\r\ntransfer-encoding: identity",
        "transfer-encoding: \"chunked\"",
    ] {
        refused(head, "0\r\n\r\n").await;
    }
}

#[tokio::test]
async fn codings_before_the_chunks_are_not_ours_to_undo() {
    for head in [
        "transfer-encoding: gzip, chunked",
        "transfer-encoding: identity, chunked",
        "transfer-encoding: chunked, chunked",
        "transfer-encoding: identity\r\ntransfer-encoding: chunked",
        "transfer-encoding: , chunked",
    ] {
        check(head, "0\r\n\r\n", &["501"], &[]).await;
    }
}

#[tokio::test]
async fn headers_that_are_written_oddly_are_refused() {
    for head in [
        "transfer-encoding : chunked",
        " transfer-encoding: chunked",
        "x: y\r\n transfer-encoding: chunked",
        "transfer-encoding:\u{b}chunked",
        "transfer-encoding: chun\0ked",
        "x: a\rtransfer-encoding: chunked",
        "x\0: y",
        ": y",
        "x",
        "(x): y",
    ] {
        refused(head, "0\r\n\r\n").await;
    }
}

#[tokio::test]
async fn chunks_that_are_written_oddly_break_the_request_and_the_connection() {
    for body in [
        "3x\r\nabc\r\n0\r\n\r\n",
        "0x3\r\nabc\r\n0\r\n\r\n",
        "-3\r\nabc\r\n0\r\n\r\n",
        "fffffffffffffffff\r\nabc\r\n0\r\n\r\n",
        "3\nabc\n0\n\n",
        "3\r\nabcd\r\n0\r\n\r\n",
        "3;a\nb\r\nabc\r\n0\r\n\r\n",
        "\r\n0\r\n\r\n",
    ] {
        let victim = Victim::start(Connections::default()).await;
        let said = format!(
            "POST /a HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n{body}{HIDDEN}"
        );
        let answer = victim.talk(said.as_bytes()).await;
        assert_eq!(victim.served(), ["POST /a broken"], "{body:?}: {answer:?}");
    }
}

#[tokio::test]
async fn an_old_version_has_no_chunks() {
    let victim = Victim::start(Connections::default()).await;
    let said = format!("POST /a HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n{HIDDEN}");
    let answer = victim.talk(said.as_bytes()).await;
    assert!(
        answer.starts_with("HTTP/1.0 400") || answer.starts_with("HTTP/1.1 400"),
        "{answer:?}"
    );
    assert!(victim.served().is_empty());
}

#[tokio::test]
async fn nothing_behind_an_error_is_served() {
    for said in [
        "BAD\r\n\r\n",
        "GET\r\n\r\n",
        "GET /a HTTP/9.9\r\n\r\n",
        "GET /a b HTTP/1.1\r\nhost: x\r\n\r\n",
        "\0\0\0\0",
        "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0",
    ] {
        let victim = Victim::start(Connections::default()).await;
        let answer = victim.talk(format!("{said}{HIDDEN}").as_bytes()).await;
        assert!(!answer.contains(" 200 "), "{said:?}: {answer:?}");
        assert!(victim.served().is_empty(), "{said:?}");
    }
}

#[tokio::test]
async fn a_body_is_never_taken_for_a_request() {
    let victim = Victim::start(Connections::default()).await;
    let length = HIDDEN.len();
    for method in ["GET", "HEAD", "DELETE", "OPTIONS", "POST"] {
        let said = format!(
            "{method} /a HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\nupgrade: h2c\r\n\r\n{HIDDEN}"
        );
        victim.talk(said.as_bytes()).await;
    }
    // In the trailers, a length is no length.
    let said = "POST /b HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n0\r\ncontent-length: 9\r\n\r\nGET /c HTTP/1.1\r\nhost: x\r\n\r\n";
    victim.talk(said.as_bytes()).await;
    let expected = ["GET /a", "HEAD /a", "DELETE /a", "OPTIONS /a", "POST /a"]
        .map(|what| format!("{what} {length}"));
    let mut expected = expected.to_vec();
    expected.extend(["POST /b 0".to_owned(), "GET /c 0".to_owned()]);
    assert_eq!(victim.served(), expected);
}

#[tokio::test]
async fn a_whole_address_is_its_path() {
    let victim = Victim::start(Connections::default()).await;
    for target in [
        "http://elsewhere.example/a",
        "//elsewhere.example/a",
        "/a#b",
    ] {
        let said = format!("GET {target} HTTP/1.1\r\nhost: x\r\n\r\n");
        victim.talk(said.as_bytes()).await;
    }
    assert_eq!(
        victim.served(),
        ["GET /a 0", "GET //elsewhere.example/a 0", "GET /a 0"]
    );
}
