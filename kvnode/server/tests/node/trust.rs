//! Certificates for tests: an authority of their own, what it signs, and clients that trust it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::program::Program;

/// An authority, the folder with what it signed for the node, and who trusts it.
pub(crate) struct Trust {
    folder: TempDir,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A certificate and its key, as PEM.
pub(crate) struct Signed {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl Trust {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("a certificate");
        let trust = Self { folder: tempfile::tempdir().expect("a temporary folder"), issuer };
        std::fs::write(trust.path("ca.pem"), trust.issuer.pem()).expect("room on the disk");
        trust.give_node_a_certificate();
        trust
    }

    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    pub(crate) fn sign(&self) -> Signed {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
        let certificate = params.signed_by(&key, &*self.issuer).expect("a certificate").pem();
        Signed { certificate, key: key.serialize_pem() }
    }

    /// Both files change in one moment each, as they do when Kubernetes brings them.
    pub(crate) fn give_node_a_certificate(&self) {
        let signed = self.sign();
        for (file, content) in [("cert.pem", signed.certificate), ("key.pem", signed.key)] {
            let written = self.path("written");
            std::fs::write(&written, content).expect("room on the disk");
            std::fs::rename(written, self.path(file)).expect("one file system");
        }
    }

    pub(crate) fn flags(&self) -> Vec<String> {
        let text = |path: &Path| path.to_str().expect("a plain path").to_owned();
        let files = [("--tls-cert", "cert.pem"), ("--tls-key", "key.pem")];
        files.into_iter().flat_map(|(flag, file)| [flag.to_owned(), text(&self.path(file))]).collect()
    }

    pub(crate) fn start(&self, more: &[&str]) -> Program {
        let flags = self.flags();
        let flags: Vec<&str> = flags.iter().map(String::as_str).chain(more.iter().copied()).collect();
        Program::start(&[&["--port", "0"][..], &flags].concat(), &[])
    }

    pub(crate) fn client(&self, own: Option<&Signed>) -> TlsConnector {
        let mut roots = RootCertStore::empty();
        roots.add(self.issuer.der().clone()).expect("an authority");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("both versions")
            .with_root_certificates(roots);
        let config = match own {
            None => builder.with_no_client_auth(),
            Some(own) => {
                let chain = vec![CertificateDer::from_pem_slice(own.certificate.as_bytes()).expect("PEM")];
                let key = PrivateKeyDer::from_pem_slice(own.key.as_bytes()).expect("PEM");
                builder.with_client_auth_cert(chain, key).expect("they fit")
            }
        };
        TlsConnector::from(Arc::new(config))
    }
}

pub(crate) async fn connect(client: &TlsConnector, address: SocketAddr) -> std::io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(address).await?;
    client.connect(ServerName::try_from("localhost").expect("a name"), stream).await
}
