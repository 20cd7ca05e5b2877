//! A broker's listeners that ask who is there: client certificates, passwords, OAuth tokens.
//!
//! Everything is made anew for each broker: an authority, certificates of broker and client, a user, and an OAuth
//! server whose key the broker trusts.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose,
};

use super::tokens::TokenServer;
use crate::free_port;

/// The user of [`Secured`], for PLAIN and SCRAM.
const USER: &str = "sluice";

const SECURITY: &str = "org.apache.kafka.common.security";

/// How to get into a broker that was started with [`super::KafkaOptions::secured`].
#[derive(Debug)]
pub struct Secured {
    folder: PathBuf,
    certificates_port: u16,
    sasl_port: u16,
    password: String,
    tokens: TokenServer,
}

impl Secured {
    /// Makes keys, certificates and a password in `folder`.
    pub(super) fn prepare(folder: &Path) -> Self {
        let folder = folder.join("security");
        fs::create_dir_all(&folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
        certificates(&folder).unwrap_or_else(|error| panic!("certificates in {folder:?}: {error}"));
        let tokens = TokenServer::start();
        write(&folder.join("keys.json"), &tokens.public_keys());
        Self {
            folder,
            certificates_port: free_port(),
            sasl_port: free_port(),
            password: format!("secret-{}", std::process::id()),
            tokens,
        }
    }

    /// `bootstrap.servers` of the listener that takes clients with a certificate.
    #[must_use]
    pub fn certificate_brokers(&self) -> String {
        format!("127.0.0.1:{}", self.certificates_port)
    }

    /// `bootstrap.servers` of the listener for PLAIN, SCRAM-SHA-512 and OAUTHBEARER, over TLS.
    #[must_use]
    pub fn sasl_brokers(&self) -> String {
        format!("127.0.0.1:{}", self.sasl_port)
    }

    /// The authority that signed the broker's certificate, and clients'; PEM.
    #[must_use]
    pub fn authority(&self) -> PathBuf {
        self.folder.join("authority.pem")
    }

    /// A client's certificate; PEM.
    #[must_use]
    pub fn client_certificate(&self) -> PathBuf {
        self.folder.join("client.pem")
    }

    /// Its private key; PEM.
    #[must_use]
    pub fn client_key(&self) -> PathBuf {
        self.folder.join("client-key.pem")
    }

    /// Who may come in with [`Self::password`].
    #[must_use]
    pub fn user(&self) -> &str {
        USER
    }

    /// For PLAIN and SCRAM.
    #[must_use]
    pub fn password(&self) -> &str {
        &self.password
    }

    /// Gives out tokens that the broker takes.
    #[must_use]
    pub fn tokens(&self) -> &TokenServer {
        &self.tokens
    }

    /// The names and addresses of the listeners, and what each speaks.
    pub(super) fn listeners(&self) -> [(&'static str, u16, &'static str); 2] {
        [
            ("CERTIFICATES", self.certificates_port, "SSL"),
            ("SASL", self.sasl_port, "SASL_SSL"),
        ]
    }

    /// What the listeners need in `server.properties`.
    pub(super) fn properties(&self) -> String {
        let (store, authority) = (self.folder.join("broker.pem"), self.authority());
        let mut lines = format!(
            "ssl.keystore.type=PEM\n\
             ssl.keystore.location={}\n\
             ssl.truststore.type=PEM\n\
             ssl.truststore.location={}\n\
             listener.name.certificates.ssl.client.auth=required\n\
             listener.name.sasl.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-512,OAUTHBEARER\n",
            store.display(),
            authority.display(),
        );
        let mut set = |key: &str, value: &str| {
            writeln!(lines, "listener.name.sasl.{key}={value}").unwrap_or_default();
        };
        set(
            "plain.sasl.jaas.config",
            &format!(
                "{SECURITY}.plain.PlainLoginModule required user_{USER}=\"{}\";",
                self.password
            ),
        );
        set(
            "scram-sha-512.sasl.jaas.config",
            &format!("{SECURITY}.scram.ScramLoginModule required;"),
        );
        set(
            "oauthbearer.sasl.jaas.config",
            &format!("{SECURITY}.oauthbearer.OAuthBearerLoginModule required;"),
        );
        set(
            "oauthbearer.sasl.server.callback.handler.class",
            &format!("{SECURITY}.oauthbearer.OAuthBearerValidatorCallbackHandler"),
        );
        set("sasl.oauthbearer.jwks.endpoint.url", &self.keys_url());
        set("sasl.oauthbearer.expected.audience", TokenServer::AUDIENCE);
        lines
    }

    /// What the broker's JVM must be told: Kafka reads keys only from where it is allowed to.
    pub(super) fn java_option(&self) -> String {
        format!(
            "-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls={}",
            self.keys_url()
        )
    }

    /// What formatting the broker's storage must be told: SCRAM's users are in the cluster's own metadata.
    pub(super) fn format_option(&self) -> String {
        format!("SCRAM-SHA-512=[name={USER},password={}]", self.password)
    }

    fn keys_url(&self) -> String {
        format!("file://{}", self.folder.join("keys.json").display())
    }
}

fn certificates(folder: &Path) -> Result<(), rcgen::Error> {
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    authority
        .distinguished_name
        .push(DnType::CommonName, "testkit authority");
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;
    write(&folder.join("authority.pem"), &authority.pem());

    let signed = |name: &str, purpose: ExtendedKeyUsagePurpose| {
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let mut params = CertificateParams::new(names)?;
        params.distinguished_name.push(DnType::CommonName, name);
        params.extended_key_usages = vec![purpose];
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &authority)?;
        Ok::<_, rcgen::Error>((key.serialize_pem(), certificate.pem()))
    };
    let (key, certificate) = signed("broker", ExtendedKeyUsagePurpose::ServerAuth)?;
    write(&folder.join("broker.pem"), &(key + &certificate));
    let (key, certificate) = signed("client", ExtendedKeyUsagePurpose::ClientAuth)?;
    write(&folder.join("client-key.pem"), &key);
    write(&folder.join("client.pem"), &certificate);
    Ok(())
}

fn write(path: &Path, text: &str) {
    fs::write(path, text).unwrap_or_else(|error| panic!("{path:?}: {error}"));
}
