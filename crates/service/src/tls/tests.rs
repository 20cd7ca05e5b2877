//! Handshakes over real sockets, with certificates made for each test.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::Extension;
use axum::routing::{get, post};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, SanType,
};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use super::{Acceptor, ClientCertificate, ClientCertificates, TlsConfig};
use crate::http::{Connections, Door, serve};
use crate::http_client::{Timeouts, Tls, client_with};
use crate::tasks::Tasks;

const LONG: Duration = Duration::from_secs(30);

/// An authority and the files that it has signed, in a folder of their own.
struct Files {
    authority: CertifiedIssuer<'static, KeyPair>,
    folder: TempDir,
}

impl Files {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.pem"), authority.pem()).unwrap();
        Self { authority, folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn sign(&self, name: &str, params: &CertificateParams) -> (PathBuf, PathBuf) {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.authority).unwrap();
        let files = (
            self.path(&format!("{name}.pem")),
            self.path(&format!("{name}.key")),
        );
        std::fs::write(&files.0, certificate.pem()).unwrap();
        std::fs::write(&files.1, key.serialize_pem()).unwrap();
        files
    }

    fn server(&self, name: &str) -> TlsConfig {
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let params = CertificateParams::new(names).unwrap();
        let (certificate, key) = self.sign(name, &params);
        TlsConfig {
            certificate,
            key,
            client_ca: None,
            client_crl: None,
            client_certificates: ClientCertificates::None,
        }
    }

    fn client(&self, name: &str, uri: &str) -> (PathBuf, PathBuf) {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.subject_alt_names = vec![SanType::URI(uri.try_into().unwrap())];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.sign(name, &params)
    }

    fn http(&self, identity: Option<&(PathBuf, PathBuf)>) -> reqwest::Client {
        let tls = Tls {
            ca_file: Some(self.path("ca.pem")),
            cert_file: identity.map(|(certificate, _)| certificate.clone()),
            key_file: identity.map(|(_, key)| key.clone()),
            insecure_skip_verify: false,
        };
        let timeouts = Timeouts {
            connect: LONG,
            request: LONG,
        };
        client_with(timeouts, &tls).unwrap()
    }
}

struct Server {
    url: String,
    port: u16,
    acceptor: Acceptor,
    stopping: CancellationToken,
    _tasks: Tasks,
}

async fn who(certificate: Option<Extension<Arc<ClientCertificate>>>) -> String {
    certificate.map_or_else(
        || "nobody".to_owned(),
        |Extension(certificate)| {
            let name = certificate.common_name.clone().unwrap_or_default();
            format!("{name} {}", certificate.uris.join(" "))
        },
    )
}

async fn start(config: &TlsConfig, connections: Connections) -> Server {
    let acceptor = Acceptor::new("http", config).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let stopping = CancellationToken::new();
    let router = Router::new()
        .route("/who", get(who))
        .route("/echo", post(|body: Bytes| async { body }))
        .route("/big", get(|| async { vec![b'x'; 4 << 20] }));
    let door = Door {
        listener,
        tls: Some(acceptor.clone()),
    };
    let tasks = Tasks::new();
    let served = serve(door, router, connections, stopping.clone(), LONG);
    tasks.spawn("server", async move {
        served.await;
    });
    Server {
        url: format!("https://localhost:{port}"),
        port,
        acceptor,
        stopping,
        _tasks: tasks,
    }
}

impl Server {
    async fn who(&self, client: &reqwest::Client) -> Result<String, reqwest::Error> {
        let answer = client.get(format!("{}/who", self.url)).send().await?;
        answer.text().await
    }

    async fn knock(&self) -> TcpStream {
        TcpStream::connect(("127.0.0.1", self.port)).await.unwrap()
    }
}

#[tokio::test]
async fn requests_and_answers_of_any_size_come_through() {
    let files = Files::new();
    let server = start(&files.server("server"), Connections::default()).await;
    let client = files.http(None);
    assert_eq!(server.who(&client).await.unwrap(), "nobody");
    let body = vec![b'y'; 1 << 20];
    let echo = client
        .post(format!("{}/echo", server.url))
        .body(body.clone());
    let echo = echo.send().await.unwrap().bytes().await.unwrap();
    assert!(echo == body, "{} bytes", echo.len());
    let big = client
        .get(format!("{}/big", server.url))
        .send()
        .await
        .unwrap();
    assert_eq!(big.bytes().await.unwrap().len(), 4 << 20);
}

#[tokio::test]
async fn a_client_is_who_its_certificate_says() {
    let files = Files::new();
    let mut config = files.server("server");
    config.client_ca = Some(files.path("ca.pem"));
    config.client_certificates = ClientCertificates::Optional;
    let server = start(&config, Connections::default()).await;
    let identity = files.client("billing", "spiffe://k8s/ns/blue");
    let known = files.http(Some(&identity));
    assert_eq!(
        server.who(&known).await.unwrap(),
        "billing spiffe://k8s/ns/blue"
    );
    assert_eq!(server.who(&files.http(None)).await.unwrap(), "nobody");

    // Of an authority that is not ours.
    let others = Files::new();
    let other = others.client("billing", "spiffe://k8s/ns/blue");
    assert!(server.who(&files.http(Some(&other))).await.is_err());

    config.client_certificates = ClientCertificates::Required;
    server.acceptor.prepare(&config).unwrap()();
    assert!(server.who(&files.http(None)).await.is_err());
    let known = files.http(Some(&identity));
    assert_eq!(
        server.who(&known).await.unwrap(),
        "billing spiffe://k8s/ns/blue"
    );
}

#[tokio::test]
async fn a_replaced_certificate_is_for_new_connections_and_cuts_none() {
    let files = Files::new();
    let server = start(&files.server("server"), Connections::default()).await;
    let old = files.http(None);
    server.who(&old).await.unwrap();

    let others = Files::new();
    let renewed = others.server("renewed");
    server.acceptor.prepare(&renewed).unwrap()();
    // Its connection is kept alive, and it trusts the old authority alone.
    assert_eq!(server.who(&old).await.unwrap(), "nobody");
    assert_eq!(server.who(&others.http(None)).await.unwrap(), "nobody");
    assert!(server.who(&files.http(None)).await.is_err());

    // One that cannot be used changes nothing.
    std::fs::write(&renewed.certificate, "nonsense").unwrap();
    let refused = server.acceptor.prepare(&renewed).map(drop).unwrap_err();
    assert_eq!(refused.0, "certificate");
    assert_eq!(server.who(&others.http(None)).await.unwrap(), "nobody");
}

#[tokio::test]
async fn a_client_that_does_not_shake_hands_is_cut_and_holds_nobody_up() {
    let files = Files::new();
    let connections = Connections {
        header_timeout: Duration::from_millis(300),
        ..Connections::default()
    };
    let server = start(&files.server("server"), connections).await;
    let mut silent = server.knock().await;
    let mut plain = server.knock().await;
    plain
        .write_all(b"GET /who HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    assert_eq!(server.who(&files.http(None)).await.unwrap(), "nobody");
    let mut answer = Vec::new();
    tokio::time::timeout(LONG, silent.read_to_end(&mut answer))
        .await
        .unwrap()
        .unwrap();
    assert!(answer.is_empty());
    // It reads the alert, or that the connection is gone.
    tokio::time::timeout(LONG, plain.read_to_end(&mut answer))
        .await
        .unwrap()
        .unwrap_or_default();
    assert!(!answer.starts_with(b"HTTP"));
}

#[tokio::test]
async fn a_handshake_that_does_not_end_does_not_hold_up_the_end() {
    let files = Files::new();
    let server = start(&files.server("server"), Connections::default()).await;
    let mut silent = server.knock().await;
    // The connection is accepted by now: another one after it was served.
    server.who(&files.http(None)).await.unwrap();
    server.stopping.cancel();
    let mut answer = Vec::new();
    let read = silent.read_to_end(&mut answer);
    tokio::time::timeout(LONG / 3, read).await.unwrap().unwrap();
}

#[track_caller]
fn refused(config: &TlsConfig, key: &str, why: &str) {
    let (found_key, found_why) = config.check().unwrap_err();
    assert_eq!(found_key, key, "{found_why}");
    assert!(found_why.contains(why), "{found_why}");
    assert_eq!(found_why.lines().count(), 1, "{found_why}");
}

#[test]
fn files_that_cannot_be_used_are_refused_with_their_key() {
    let files = Files::new();
    let good = files.server("server");
    good.check().unwrap();
    let other = files.server("other");
    let with = |change: &dyn Fn(&mut TlsConfig)| {
        let mut config = good.clone();
        change(&mut config);
        config
    };
    let absent: &Path = Path::new("/nowhere/x.pem");
    refused(
        &with(&|config| config.certificate = absent.into()),
        "certificate",
        "/nowhere/x.pem cannot be read",
    );
    refused(
        &with(&|config| config.key = absent.into()),
        "key",
        "/nowhere/x.pem cannot be read",
    );
    refused(
        &with(&|config| config.key = other.key.clone()),
        "key",
        "is not the key of the certificate in",
    );
    refused(
        &with(&|config| config.key = good.certificate.clone()),
        "key",
        "no unencrypted private key",
    );
    refused(
        &with(&|config| config.certificate = good.key.clone()),
        "certificate",
        "holds nothing of its kind",
    );
    refused(
        &with(&|config| config.client_certificates = ClientCertificates::Required),
        "client_ca",
        "is needed",
    );
    refused(
        &with(&|config| config.client_ca = Some(files.path("ca.pem"))),
        "client_certificates",
        "is none",
    );
    std::fs::write(files.path("empty.pem"), "").unwrap();
    refused(
        &with(&|config| {
            config.client_certificates = ClientCertificates::Optional;
            config.client_ca = Some(files.path("empty.pem"));
        }),
        "client_ca",
        "holds nothing of its kind",
    );
}

#[test]
fn how_long_a_certificate_is_good_is_shown() {
    let metrics = crate::telemetry::install_metrics(&[crate::metrics::CATALOGUE]);
    let files = Files::new();
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    params.not_after = rcgen::date_time_ymd(2020, 1, 1);
    let (certificate, key) = files.sign("past", &params);
    let config = TlsConfig {
        certificate,
        key,
        ..files.server("server")
    };
    // Clocks can be wrong, and a certificate that has expired is better than no answer: said, not refused.
    drop(Acceptor::new("admin", &config).unwrap());
    let text = metrics.render();
    let line = text.lines().find(|line| {
        line.starts_with("sluice_tls_certificate_expires_seconds{listener=\"admin\"}")
    });
    assert!(line.is_some_and(|line| line.contains("} -")), "{text}");
}
