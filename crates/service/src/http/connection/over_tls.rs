//! The same over TLS, which keeps bytes of its own in both directions. The clock is paused.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::{PrivatePkcs8KeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, ServerConfig, crypto};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_rustls::client::TlsStream;
use tokio_rustls::{TlsAcceptor, TlsConnector};
use tokio_util::sync::CancellationToken;

use super::{Client, Ended, serve_connection};
use crate::http::Connections;

/// Less than an answer of `/some`, so that some of it waits inside of TLS.
const PIPE_BYTES: usize = 4096;

const SOME_BYTES: usize = 30_000;

async fn start() -> (TlsStream<DuplexStream>, JoinSet<Ended>) {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = params.self_signed(&key).unwrap().der().clone();
    let provider = Arc::new(crypto::ring::default_provider());
    let server = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.clone()],
            PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        )
        .unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    let client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let (ours, theirs) = tokio::io::duplex(PIPE_BYTES);
    let mut served = JoinSet::new();
    served.spawn(async move {
        let stream = TlsAcceptor::from(Arc::new(server))
            .accept(ours)
            .await
            .unwrap();
        let router = Router::new()
            .route("/", get(|| async { "ok" }))
            .route("/some", get(|| async { vec![b'x'; SOME_BYTES] }));
        let (limits, stopping) = (Connections::default(), CancellationToken::new());
        serve_connection(
            Box::new(stream),
            router,
            Client::default(),
            limits,
            stopping,
        )
        .await
    });
    let name = ServerName::try_from("localhost").unwrap();
    let connector = TlsConnector::from(Arc::new(client));
    (connector.connect(name, theirs).await.unwrap(), served)
}

async fn send(client: &mut TlsStream<DuplexStream>, path: &str) {
    let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n");
    client.write_all(request.as_bytes()).await.unwrap();
    client.flush().await.unwrap();
}

async fn answer(client: &mut TlsStream<DuplexStream>, ending: &[u8]) {
    let mut answer = Vec::new();
    while !answer.ends_with(ending) {
        assert!(client.read_buf(&mut answer).await.unwrap() > 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_was_quiet_is_served_as_before() {
    let (mut client, _served) = start().await;
    for _ in 0..3 {
        send(&mut client, "/").await;
        answer(&mut client, b"ok").await;
        sleep(Duration::from_secs(20)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_reads_late_gets_all_of_its_answer() {
    let (mut client, _served) = start().await;
    send(&mut client, "/some").await;
    // Longer than a connection keeps its buffers when nothing is under way.
    sleep(Duration::from_secs(20)).await;
    answer(&mut client, &[b'x'; SOME_BYTES]).await;
    send(&mut client, "/").await;
    answer(&mut client, b"ok").await;
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_read_or_ask_is_cut() {
    for path in ["/some", "/"] {
        let (mut client, mut served) = start().await;
        send(&mut client, path).await;
        let ended = served.join_next().await.unwrap().unwrap();
        assert_eq!(ended, Ended::Idle, "{path}");
    }
}
