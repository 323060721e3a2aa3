//! What a node needs to speak TLS with its clients: its certificates and key, ready for use, and whom it trusts. They
//! are exchanged as a whole when the files change; a connection goes on with what it began with.

use std::fmt;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use sha2::{Digest, Sha256};

/// The only protocol spoken here that has a name in ALPN. Redis' clients name none, which fits, too.
const HTTP: &[u8] = b"http/1.1";

#[derive(Clone)]
pub(crate) struct Tls {
    server: Arc<ServerConfig>,
    /// Of all that was read, to tell it from what is read later.
    digest: [u8; 32],
}

impl Tls {
    /// TLS 1.2 and 1.3. With authorities, only clients with a certificate of theirs are let in.
    pub(crate) fn new(
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
        authorities: Option<RootCertStore>,
    ) -> Result<Self, rustls::Error> {
        let mut digest = Sha256::new();
        for certificate in &chain {
            digest.update(certificate);
        }
        digest.update(key.secret_der());
        for authority in authorities.iter().flat_map(|authorities| &authorities.roots) {
            digest.update(&*authority.subject_public_key_info);
        }
        let provider = Arc::new(ring::default_provider());
        let builder =
            ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions()?;
        let builder = match authorities {
            None => builder.with_no_client_auth(),
            Some(authorities) => {
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(authorities), provider).build();
                builder.with_client_cert_verifier(verifier.map_err(|error| rustls::Error::General(error.to_string()))?)
            }
        };
        let mut server = builder.with_single_cert(chain, key)?;
        server.alpn_protocols = vec![HTTP.to_vec()];
        // A client that comes back saves a handshake, whichever thread it meets, and the node keeps nothing for it.
        server.ticketer = ring::Ticketer::new()?;
        Ok(Self { server: Arc::new(server), digest: digest.finalize().into() })
    }

    pub(crate) fn server(&self) -> &Arc<ServerConfig> {
        &self.server
    }
}

impl PartialEq for Tls {
    fn eq(&self, other: &Self) -> bool {
        self.digest == other.digest
    }
}

impl Eq for Tls {}

impl fmt::Debug for Tls {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Tls(…)")
    }
}
