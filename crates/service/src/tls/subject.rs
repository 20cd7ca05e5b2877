//! What a client's certificate says about the client.

use rustls::pki_types::CertificateDer;
use x509_parser::extensions::GeneralName;
use x509_parser::parse_x509_certificate;

/// A certificate that was verified; an extension of each request of its connection, in an `Arc`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClientCertificate {
    /// The subject's common name, where it has exactly one.
    pub common_name: Option<String>,
    /// The URIs among the subject's alternative names.
    pub uris: Vec<String>,
}

impl ClientCertificate {
    /// Reads it; what cannot be read is not there.
    pub(super) fn of(certificate: &CertificateDer<'_>) -> Self {
        let Ok((_, parsed)) = parse_x509_certificate(certificate) else {
            return Self::default();
        };
        let mut names = parsed.subject().iter_common_name();
        let common_name = match (names.next(), names.next()) {
            (Some(name), None) => name.as_str().ok().map(str::to_owned),
            _ => None,
        };
        let alternatives = parsed.subject_alternative_name().ok().flatten();
        let uris = alternatives
            .iter()
            .flat_map(|names| &names.value.general_names)
            .filter_map(|name| match name {
                GeneralName::URI(uri) => Some((*uri).to_owned()),
                _ => None,
            })
            .collect();
        Self { common_name, uris }
    }
}
