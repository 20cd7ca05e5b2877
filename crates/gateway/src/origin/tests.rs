//! Tenant and source reach the record's headers by every way that a sender has.

use std::net::SocketAddr;

use axum::body::Body;
use buffer::Record;
use http::Request;
use http::request::Builder;
use service::http::Peer;

use crate::fake::{FakeBuffer, NOW_MS, Server, batch, sample};
use crate::{Config, KeyConfig, TenancyConfig, hash_key};

fn config() -> Config {
    let key = |secret: &str, tenant: &str| KeyConfig {
        sha256: hash_key(secret),
        tenant: Some(tenant.to_owned()),
        ..KeyConfig::default()
    };
    let mut config = Config::default();
    config.access.keys = [
        ("a", key("s3cret", "team-a")),
        ("b", key("other", "team-b")),
    ]
    .map(|(name, key)| (name.to_owned(), key))
    .into();
    config
}

async fn send(request: Builder) -> Result<Record, (u16, String)> {
    let server = Server::start(&config(), FakeBuffer::default());
    let body = batch(&[sample("up", NOW_MS, 1.0, "a")]);
    let answer = server.send(request.body(Body::from(body)).unwrap()).await;
    if answer.status != 200 {
        return Err((answer.status.as_u16(), answer.text().to_owned()));
    }
    Ok(server.buffer.confirmed().remove(0))
}

async fn tenant(request: Builder) -> Option<String> {
    let record = send(request).await.unwrap();
    record.tenant.map(|tenant| tenant.to_string())
}

#[tokio::test(start_paused = true)]
async fn without_a_word_there_is_no_tenant() {
    assert_eq!(tenant(Request::post("/metrics")).await, None);
    let empty = Request::post("/metrics").header("x-scope-orgid", " ");
    assert_eq!(tenant(empty).await, None);
}

#[tokio::test(start_paused = true)]
async fn header_path_and_credential_name_the_tenant() {
    let header = Request::post("/metrics").header("x-scope-orgid", "team-c");
    assert_eq!(tenant(header).await.as_deref(), Some("team-c"));
    let path = Request::post("/tenants/team-d/metrics").header("x-scope-orgid", "team-c");
    assert_eq!(tenant(path).await.as_deref(), Some("team-d"));
    for (name, value) in [
        ("authorization", "Bearer s3cret"),
        ("authorization", "Token s3cret"),
        // user:s3cret
        ("authorization", "Basic dXNlcjpzM2NyZXQ="),
        ("dd-api-key", "s3cret"),
    ] {
        let token = Request::post("/metrics").header(name, value);
        assert_eq!(tenant(token).await.as_deref(), Some("team-a"), "{value}");
    }
    for query in ["u=me&p=other", "api_key=other"] {
        let token = Request::post(format!("/metrics?{query}"));
        assert_eq!(tenant(token).await.as_deref(), Some("team-b"), "{query}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_name_that_no_tenant_can_have_is_refused() {
    let long = "x".repeat(151);
    for name in ["a/b", "a b", "ä", long.as_str()] {
        let request = Request::post("/metrics").header("x-scope-orgid", name);
        let (status, body) = send(request).await.unwrap_err();
        assert_eq!(status, 400, "{name}");
        assert!(body.contains("tenant_invalid"), "{body}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_source_is_what_the_sender_says_or_its_address() {
    let source = async |request| send(request).await.unwrap().source;
    assert_eq!(source(Request::post("/metrics")).await, None);
    let peer: SocketAddr = "[::ffff:10.1.2.3]:4711".parse().unwrap();
    let from_peer = || Request::post("/metrics").extension(Peer::of(peer));
    assert_eq!(source(from_peer()).await.as_deref(), Some("10.1.2.3"));
    let named = from_peer().header("sluice-source", " billing, cron\t ");
    assert_eq!(source(named).await.as_deref(), Some("billing cron"));
}

#[test]
fn contradictory_settings_name_their_key() {
    let check = |change: fn(&mut TenancyConfig)| {
        let mut tenancy = TenancyConfig::default();
        change(&mut tenancy);
        tenancy.check().unwrap_err().0
    };
    assert_eq!(check(|tenancy| tenancy.header = "a b".to_owned()), "header");
}
