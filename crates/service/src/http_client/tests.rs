//! The client has deadlines and manners, and proves and checks who is who.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderMap, StatusCode, header};
use axum::routing::get;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::{ClientError, Timeouts, Tls, client, client_with, install_crypto};
use crate::http::{Connections, serve};
use crate::tasks::Tasks;

const LONG: Timeouts = Timeouts {
    connect: Duration::from_secs(30),
    request: Duration::from_secs(30),
};

fn fixture(name: &str) -> PathBuf {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/http_client/fixtures");
    PathBuf::from(folder).join(name)
}

async fn start(tasks: &Tasks, router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let served = serve(
        listener,
        router,
        Connections::default(),
        CancellationToken::new(),
        LONG.request,
    );
    tasks.spawn("server", async move {
        served.await;
    });
    url
}

#[tokio::test]
async fn it_says_who_it_is_and_follows_no_redirect() {
    let tasks = Tasks::new();
    let who = |headers: HeaderMap| async move {
        headers[header::USER_AGENT].to_str().unwrap().to_owned()
    };
    let moved = || async { (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, "/who")]) };
    let router = Router::new()
        .route("/who", get(who))
        .route("/moved", get(moved));
    let url = start(&tasks, router).await;
    let client = client(LONG).unwrap();

    let answer = client.get(format!("{url}/who")).send().await.unwrap();
    let expected = format!("sluice/{}", env!("CARGO_PKG_VERSION"));
    assert_eq!(answer.text().await.unwrap(), expected);
    let answer = client.get(format!("{url}/moved")).send().await.unwrap();
    assert_eq!(answer.status(), 307);
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_given_up() {
    let tasks = Tasks::new();
    let never = get(std::future::pending::<&str>);
    let url = start(&tasks, Router::new().route("/", never)).await;
    let short = Timeouts {
        request: Duration::from_millis(20),
        ..LONG
    };
    let error = client(short).unwrap().get(url).send().await.unwrap_err();
    assert!(error.is_timeout(), "{error:?}");
}

/// A TLS server that answers one request per connection; it asks for a certificate if `asks`.
async fn tls_server(tasks: &Tasks, asks: bool) -> String {
    install_crypto();
    let authority = CertificateDer::from_pem_file(fixture("authority.pem")).unwrap();
    let certificate = CertificateDer::from_pem_file(fixture("server.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(fixture("server.key")).unwrap();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(authority).unwrap();
    let config = ServerConfig::builder();
    let config = if asks {
        let verifier = WebPkiClientVerifier::builder(Arc::new(roots))
            .build()
            .unwrap();
        config.with_client_cert_verifier(verifier)
    } else {
        config.with_no_client_auth()
    };
    let config = config.with_single_cert(vec![certificate], key).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tasks.spawn("tls server", async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let Ok(mut stream) = acceptor.accept(stream).await else {
                continue;
            };
            let mut request = [0; 1024];
            if stream.read(&mut request).await.is_ok_and(|len| len > 0) {
                let answer = b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n";
                stream.write_all(answer).await.unwrap();
                stream.shutdown().await.unwrap();
            }
        }
    });
    format!("https://localhost:{port}/")
}

async fn status(url: &str, tls: &Tls) -> Result<u16, ClientError> {
    let answer = client_with(LONG, tls)?.get(url).send().await?;
    Ok(answer.status().as_u16())
}

#[tokio::test]
async fn a_server_is_trusted_when_its_authority_is() {
    let tasks = Tasks::new();
    let url = tls_server(&tasks, false).await;
    let trusts = Tls {
        ca_file: Some(fixture("authority.pem")),
        ..Tls::default()
    };
    assert_eq!(status(&url, &trusts).await.unwrap(), 204);
    let careless = Tls {
        insecure_skip_verify: true,
        ..Tls::default()
    };
    assert_eq!(status(&url, &careless).await.unwrap(), 204);
    let error = status(&url, &Tls::default()).await.unwrap_err();
    assert!(format!("{error:?}").contains("UnknownIssuer"), "{error:?}");
}

#[tokio::test]
async fn a_server_that_asks_for_a_certificate_gets_it() {
    let tasks = Tasks::new();
    let url = tls_server(&tasks, true).await;
    let mut tls = Tls {
        ca_file: Some(fixture("authority.pem")),
        ..Tls::default()
    };
    status(&url, &tls).await.unwrap_err();
    tls.cert_file = Some(fixture("client.pem"));
    tls.key_file = Some(fixture("client.key"));
    assert_eq!(status(&url, &tls).await.unwrap(), 204);
}

#[test]
fn files_that_do_not_fit_are_named() {
    let pem = |name| Some(fixture(name));
    let check = |tls: Tls, expected: &str| {
        let message = client_with(LONG, &tls).unwrap_err().to_string();
        let folder = fixture("");
        let message = message.replace(folder.to_str().unwrap(), "");
        assert_eq!(message, expected);
    };
    let none = Tls::default;
    check(
        Tls {
            ca_file: pem("none.pem"),
            ..none()
        },
        "ca_file: none.pem: No such file or directory (os error 2)",
    );
    check(
        Tls {
            ca_file: pem("client.key"),
            ..none()
        },
        "ca_file: client.key: holds no certificate in PEM format",
    );
    check(
        Tls {
            cert_file: pem("client.pem"),
            ..none()
        },
        "cert_file: needs key_file",
    );
    check(
        Tls {
            key_file: pem("client.key"),
            ..none()
        },
        "key_file: needs cert_file",
    );
    check(
        Tls {
            cert_file: pem("client.key"),
            key_file: pem("client.key"),
            ..none()
        },
        "cert_file: client.key: holds no certificate in PEM format",
    );
    check(
        Tls {
            cert_file: pem("client.pem"),
            key_file: pem("client.pem"),
            ..none()
        },
        "key_file: client.pem: holds no unencrypted private key in PEM format",
    );
    check(
        Tls {
            cert_file: pem("client.pem"),
            key_file: pem("server.key"),
            ..none()
        },
        "cannot make an HTTP client",
    );
}
