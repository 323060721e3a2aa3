//! Whom a client of a node with TLS trusts: the authorities of one file, and nobody else.

use std::path::Path;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use super::failure::Failure;

pub(super) fn in_authorities_of(path: &Path) -> Result<Arc<ClientConfig>, Failure> {
    let unfit = |reason: String| {
        Failure::wrong_use(format!("The file {} of --tls-ca cannot be used: {reason}.", path.display()))
    };
    let mut authorities = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(|error| unfit(error.to_string()))? {
        let certificate = certificate.map_err(|error| unfit(error.to_string()))?;
        authorities.add(certificate).map_err(|error| unfit(error.to_string()))?;
    }
    if authorities.is_empty() {
        return Err(unfit("it has no certificate".to_owned()));
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().map_err(|error| unfit(error.to_string()))?;
    Ok(Arc::new(builder.with_root_certificates(authorities).with_no_client_auth()))
}
