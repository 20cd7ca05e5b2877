//! Who is let in, by each kind of credential, and how the others are told.

mod passwords;
mod routes;
mod tokens;

use std::sync::Arc;

use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Request;
use http::request::Builder;
use service::tls::ClientCertificate;

use super::hash_key;
use crate::config::{AccessConfig, CertificateConfig, KeyConfig};
use crate::fake::{Answer, FakeBuffer, NOW_MS, Server, batch, sample};
use crate::{Config, TenancyConfig};

/// The only key of most tests here.
const KEY: &str = "slc_right";

fn key(secret: &str) -> KeyConfig {
    KeyConfig {
        sha256: hash_key(secret),
        ..KeyConfig::default()
    }
}

fn required(change: impl FnOnce(&mut AccessConfig)) -> Server {
    let mut config = Config::default();
    config.access.required = true;
    config.access.keys.insert("ci".to_owned(), key(KEY));
    change(&mut config.access);
    Server::start(&config, FakeBuffer::default())
}

fn post(path: &str) -> Builder {
    Request::post(path).header("content-type", "application/json")
}

async fn send(server: &Server, request: Builder) -> Answer {
    let body = batch(&[sample("up", NOW_MS, 1.0, "a")]);
    server.send(request.body(Body::from(body)).unwrap()).await
}

async fn status(server: &Server, request: Builder) -> u16 {
    send(server, request).await.status.as_u16()
}

fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

#[tokio::test(start_paused = true)]
async fn without_settings_anybody_may_send_whatever_it_shows() {
    let server = Server::start(&Config::default(), FakeBuffer::default());
    for value in ["Bearer x", "Basic ???", "Negotiate x"] {
        let request = post("/metrics").header("authorization", value);
        assert_eq!(status(&server, request).await, 200, "{value}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_opens_wherever_a_protocol_has_a_place_for_it() {
    let server = required(|_| {});
    assert_eq!(status(&server, post("/metrics")).await, 401);
    for (name, value) in [
        ("authorization", format!("Bearer {KEY}")),
        ("authorization", format!("bearer  {KEY} ")),
        ("authorization", format!("Token {KEY}")),
        ("authorization", format!("Token somebody:{KEY}")),
        ("authorization", basic("somebody", KEY)),
        ("x-api-key", KEY.to_owned()),
        ("dd-api-key", KEY.to_owned()),
    ] {
        let request = post("/metrics").header(name, &value);
        assert_eq!(status(&server, request).await, 200, "{name}: {value}");
    }
    for query in [
        format!("api_key={KEY}"),
        format!("u=x&p={KEY}"),
        format!("p={KEY}"),
    ] {
        let request = post(&format!("/metrics?{query}"));
        assert_eq!(status(&server, request).await, 200, "{query}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_as_a_credential_is_refused() {
    let server = required(|access| access.required = false);
    for value in [KEY, "Basic !!!", "Basic bm9jb2xvbg==", "Negotiate abc", ""] {
        let request = post("/metrics").header("authorization", value);
        assert_eq!(status(&server, request).await, 401, "{value:?}");
    }
    let twice = post("/metrics")
        .header("authorization", "Bearer wrong")
        .header("authorization", format!("Bearer {KEY}"));
    assert_eq!(status(&server, twice).await, 401);
    let first_counts = post("/metrics")
        .header("authorization", "Bearer wrong")
        .header("x-api-key", KEY);
    assert_eq!(status(&server, first_counts).await, 401);
}

#[tokio::test(start_paused = true)]
async fn where_none_is_required_a_wrong_one_is_still_wrong() {
    let server = required(|access| access.required = false);
    assert_eq!(status(&server, post("/metrics")).await, 200);
    let wrong = post("/metrics").header("x-api-key", "wrong");
    assert_eq!(status(&server, wrong).await, 401);
}

#[tokio::test(start_paused = true)]
async fn a_key_ends_when_it_expires() {
    // NOW_MS is 2023-11-14T22:13:20Z.
    for (expires, expected) in [("2023-11-14T22:13:20Z", 401), ("2023-11-14T22:13:21Z", 200)] {
        let server = required(|access| {
            access.keys.get_mut("ci").unwrap().expires = Some(expires.to_owned());
        });
        let answer = send(&server, post("/metrics").header("x-api-key", KEY)).await;
        assert_eq!(answer.status.as_u16(), expected, "{}", answer.text());
        if expected == 401 {
            let why = "keys.ci has expired";
            assert!(answer.text().contains(why), "{}", answer.text());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_credential_speaks_for_its_tenant_alone() {
    let tenant = |change: fn(&mut KeyConfig)| {
        required(move |access| change(access.keys.get_mut("ci").unwrap()))
    };
    let bound = tenant(|key| key.tenant = Some("acme".to_owned()));
    let free = tenant(|key| {
        key.tenant = Some("acme".to_owned());
        key.any_tenant = true;
    });
    let none = tenant(|_| {});
    for (server, path, header, expected) in [
        (&bound, "/metrics", "", Ok(Some("acme"))),
        (&bound, "/metrics", "acme", Ok(Some("acme"))),
        (&bound, "/metrics", "other", Err(403)),
        (&bound, "/tenants/acme/metrics", "other", Ok(Some("acme"))),
        (&bound, "/tenants/other/metrics", "acme", Err(403)),
        (&free, "/metrics", "", Ok(Some("acme"))),
        (&free, "/metrics", "other", Ok(Some("other"))),
        (&free, "/tenants/other/metrics", "", Ok(Some("other"))),
        (&none, "/metrics", "", Ok(None)),
        (&none, "/metrics", "other", Err(403)),
    ] {
        let request = post(path)
            .header("x-api-key", KEY)
            .header("x-scope-orgid", header);
        let before = server.buffer.confirmed().len();
        let answer = send(server, request).await;
        let stored = server.buffer.confirmed().get(before).map(|record| {
            let tenant = record.tenant.as_deref();
            tenant.map(str::to_owned)
        });
        let found = stored.ok_or(answer.status.as_u16());
        let expected = expected.map(|tenant| tenant.map(str::to_owned));
        assert_eq!(found, expected, "{path} {header}: {}", answer.text());
    }
}

#[tokio::test(start_paused = true)]
async fn a_credential_may_name_the_source_and_be_good_for_some_protocols_only() {
    let server = required(|access| {
        let key = access.keys.get_mut("ci").unwrap();
        key.source = Some("ci-runner".to_owned());
        key.protocols = vec!["json".to_owned()];
    });
    let request = post("/metrics")
        .header("x-api-key", KEY)
        .header("sluice-source", "another");
    assert_eq!(status(&server, request).await, 200);
    let record = server.buffer.confirmed().remove(0);
    assert_eq!(record.source.as_deref(), Some("ci-runner"));
    let other = Request::post("/write?db=x").header("x-api-key", KEY);
    let answer = server.send(other.body(Body::from("m x=1")).unwrap()).await;
    assert_eq!(answer.status, 403, "{}", answer.text());
}

#[tokio::test(start_paused = true)]
async fn a_client_certificate_stands_for_its_tenant() {
    let server = required(|access| {
        let certificate =
            |common_name: Option<&str>, uri: Option<&str>, tenant: &str| CertificateConfig {
                common_name: common_name.map(str::to_owned),
                uri: uri.map(str::to_owned),
                tenant: Some(tenant.to_owned()),
                ..CertificateConfig::default()
            };
        access.certificates = [
            ("a", certificate(Some("billing"), None, "acme")),
            (
                "b",
                certificate(None, Some("spiffe://k8s/ns/blue/*"), "blue"),
            ),
        ]
        .map(|(name, certificate)| (name.to_owned(), certificate))
        .into();
    });
    let shown = |name: &str, uri: &str| {
        post("/metrics").extension(Arc::new(ClientCertificate {
            common_name: Some(name.to_owned()),
            uris: vec![uri.to_owned()],
        }))
    };
    for (request, expected) in [
        (shown("billing", ""), Some("acme")),
        (shown("x", "spiffe://k8s/ns/blue/sa/agent"), Some("blue")),
        (shown("x", "spiffe://k8s/ns/bluer/sa/agent"), None),
        (shown("Billing", "spiffe://k8s/ns"), None),
    ] {
        let before = server.buffer.confirmed().len();
        let answer = send(&server, request).await;
        let stored = server.buffer.confirmed().into_iter().nth(before);
        let tenant = stored.and_then(|record| record.tenant);
        assert_eq!(tenant.as_deref(), expected, "{}", answer.text());
    }
}

#[tokio::test(start_paused = true)]
async fn a_stranger_is_answered_before_its_body_comes() {
    let server = required(|_| {});
    let endless = futures::stream::pending::<Result<bytes::Bytes, std::io::Error>>();
    let request = post("/metrics").body(Body::from_stream(endless)).unwrap();
    let answer = server.send(request).await;
    assert_eq!(answer.status, 401);
    // The rest of its body was not waited for.
    assert_eq!(answer.header("connection"), Some("close"));
}

#[tokio::test(start_paused = true)]
async fn keys_come_and_go_while_it_runs() {
    let server = required(|_| {});
    let controls = server.gateway.controls();
    let tenancy = TenancyConfig::default();
    let old = || post("/metrics").header("x-api-key", KEY);
    let new = || post("/metrics").header("x-api-key", "slc_new");
    assert_eq!(
        (status(&server, old()).await, status(&server, new()).await),
        (200, 401)
    );

    let mut access = AccessConfig {
        required: true,
        ..AccessConfig::default()
    };
    access.keys.insert("new".to_owned(), key("slc_new"));
    controls.prepare(&access, &tenancy).unwrap()();
    assert_eq!(
        (status(&server, old()).await, status(&server, new()).await),
        (401, 200)
    );

    access.keys.get_mut("new").unwrap().sha256 = "no hash".to_owned();
    let (key, _) = controls.prepare(&access, &tenancy).map(drop).unwrap_err();
    assert_eq!(key, "access.keys.new.sha256");
    assert_eq!(
        (status(&server, old()).await, status(&server, new()).await),
        (401, 200)
    );
}

#[test]
fn what_cannot_be_is_named() {
    let refused = |change: fn(&mut AccessConfig)| {
        let mut access = AccessConfig::default();
        access.keys.insert("ci".to_owned(), key(KEY));
        change(&mut access);
        access.check().unwrap_err().0
    };
    assert_eq!(
        refused(|access| {
            access.keys.clear();
            access.required = true;
        }),
        "required"
    );
    assert_eq!(
        refused(|access| access.keys.get_mut("ci").unwrap().sha256.push('0')),
        "keys.ci.sha256"
    );
    assert_eq!(
        refused(|access| access.keys.get_mut("ci").unwrap().sha256 = hash_key("")),
        "keys.ci.sha256"
    );
    assert_eq!(
        refused(|access| {
            access.keys.insert("same".to_owned(), key(KEY));
        }),
        "keys.same.sha256"
    );
    assert_eq!(
        refused(|access| access.keys.get_mut("ci").unwrap().expires = Some("soon".to_owned())),
        "keys.ci.expires"
    );
    assert_eq!(
        refused(|access| access.keys.get_mut("ci").unwrap().tenant = Some("a/b".to_owned())),
        "keys.ci.tenant"
    );
    assert_eq!(
        refused(|access| access.keys.get_mut("ci").unwrap().protocols = vec!["ftp".to_owned()]),
        "keys.ci.protocols"
    );
    assert_eq!(
        refused(|access| {
            access
                .certificates
                .insert("all".to_owned(), CertificateConfig::default());
        }),
        "certificates.all"
    );
}
