//! What a listener promises of its sessions.

use rcgen::{CertificateParams, KeyPair};

use super::{ClientCertificates, Loaded, TlsConfig};

#[test]
fn where_clients_show_certificates_no_session_is_resumed() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = params.self_signed(&key).unwrap();
    std::fs::write(path("server.pem"), certificate.pem()).unwrap();
    std::fs::write(path("server.key"), key.serialize_pem()).unwrap();
    let config = |client_certificates| TlsConfig {
        certificate: path("server.pem"),
        key: path("server.key"),
        client_ca: (client_certificates != ClientCertificates::None).then(|| path("server.pem")),
        client_crl: None,
        client_certificates,
    };
    for (asked, is_resumed) in [
        (ClientCertificates::None, true),
        (ClientCertificates::Optional, false),
        (ClientCertificates::Required, false),
    ] {
        let loaded = Loaded::read(&config(asked)).unwrap();
        let server = &loaded.config;
        assert_eq!(server.session_storage.can_cache(), is_resumed, "{asked:?}");
        assert_eq!(server.send_tls13_tickets > 0, is_resumed, "{asked:?}");
        assert!(!server.ticketer.enabled(), "{asked:?}");
    }
}
