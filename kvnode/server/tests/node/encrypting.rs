//! TLS on the port of clients: who may connect, what they see, and what happens when certificates change.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use http::StatusCode;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::client::get;
use crate::program::{Program, run};

/// An authority, the folder with what it signed for the node, and who trusts it.
struct Trust {
    folder: TempDir,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A certificate and its key, as PEM.
struct Signed {
    certificate: String,
    key: String,
}

impl Trust {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("a certificate");
        let trust = Self { folder: tempfile::tempdir().expect("a temporary folder"), issuer };
        std::fs::write(trust.path("ca.pem"), trust.issuer.pem()).expect("room on the disk");
        trust.give_node_a_certificate();
        trust
    }

    fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    fn sign(&self) -> Signed {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
        let certificate = params.signed_by(&key, &*self.issuer).expect("a certificate").pem();
        Signed { certificate, key: key.serialize_pem() }
    }

    /// Both files change in one moment each, as they do when Kubernetes brings them.
    fn give_node_a_certificate(&self) {
        let signed = self.sign();
        for (file, content) in [("cert.pem", signed.certificate), ("key.pem", signed.key)] {
            let written = self.path("written");
            std::fs::write(&written, content).expect("room on the disk");
            std::fs::rename(written, self.path(file)).expect("one file system");
        }
    }

    fn flags(&self) -> Vec<String> {
        let text = |path: &Path| path.to_str().expect("a plain path").to_owned();
        let files = [("--tls-cert", "cert.pem"), ("--tls-key", "key.pem")];
        files.into_iter().flat_map(|(flag, file)| [flag.to_owned(), text(&self.path(file))]).collect()
    }

    fn start(&self, more: &[&str]) -> Program {
        let flags = self.flags();
        let flags: Vec<&str> = flags.iter().map(String::as_str).chain(more.iter().copied()).collect();
        Program::start(&[&["--port", "0"][..], &flags].concat(), &[])
    }

    fn client(&self, own: Option<&Signed>) -> TlsConnector {
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

async fn connect(client: &TlsConnector, address: SocketAddr) -> std::io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(address).await?;
    client.connect(ServerName::try_from("localhost").expect("a name"), stream).await
}

/// One request on a connection that stays open.
async fn health(stream: &mut TlsStream<TcpStream>) -> std::io::Result<String> {
    stream.write_all(b"GET /health/live HTTP/1.1\r\nhost: localhost\r\n\r\n").await?;
    let mut answer = Vec::new();
    while !answer.ends_with(br#"{"status":"alive"}"#) {
        if stream.read_buf(&mut answer).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(String::from_utf8(answer).expect("UTF-8"))
}

fn certificate_of(stream: &TlsStream<TcpStream>) -> CertificateDer<'static> {
    let chain = stream.get_ref().1.peer_certificates().expect("the node showed one");
    chain[0].clone().into_owned()
}

/// C124: both ports of clients and probes are there, and only the first is encrypted.
#[tokio::test]
async fn clients_must_speak_tls_and_probes_must_not() {
    let trust = Trust::new();
    let free = TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("it is bound").port();
    let node = trust.start(&["--metrics-port", &free.to_string()]);
    let mut stream = connect(&trust.client(None), node.address).await.expect("an encrypted connection");
    assert!(health(&mut stream).await.expect("an answer").starts_with("HTTP/1.1 200 OK\r\n"));
    let metrics_address = node.metrics_address.expect("a second listener");
    assert_eq!(get(metrics_address, "/livez").await.status, StatusCode::OK);

    let mut plain = TcpStream::connect(node.address).await.expect("the node listens");
    plain.write_all(b"GET /health/live HTTP/1.1\r\nhost: localhost\r\n\r\n").await.expect("a connection");
    let mut answer = Vec::new();
    let ended = plain.read_to_end(&mut answer).await;
    assert!(!answer.starts_with(b"HTTP"), "{ended:?}: nothing is answered in the clear");

    assert!(connect(&Trust::new().client(None), node.address).await.is_err(), "who trusts others finds no node here");
    assert!(health(&mut stream).await.is_ok(), "others are served meanwhile");
}

/// The files change, the node goes on: new connections see the new certificate, old ones notice nothing.
#[tokio::test]
async fn a_certificate_is_exchanged_while_connections_go_on() {
    let trust = Trust::new();
    let mut node = trust.start(&["--metrics-port", "0"]);
    let client = trust.client(None);
    let mut old = connect(&client, node.address).await.expect("an encrypted connection");
    assert!(health(&mut old).await.is_ok());

    trust.give_node_a_certificate();
    assert_eq!(node.wait_for_line("secret changed")["secret"], "the TLS certificates");
    let mut new = connect(&trust.client(None), node.address).await.expect("an encrypted connection");
    assert!(health(&mut new).await.is_ok());
    assert_ne!(certificate_of(&old), certificate_of(&new));
    assert!(health(&mut old).await.is_ok(), "the old connection goes on");

    let kept = certificate_of(&new);
    std::fs::write(trust.path("key.pem"), "no key").expect("room on the disk");
    let line = node.wait_for_line("changed files are not taken over");
    assert!(line["reason"].as_str().expect("a sentence").contains("key.pem"), "{line}");
    let same = connect(&trust.client(None), node.address).await.expect("an encrypted connection");
    assert_eq!(certificate_of(&same), kept, "what was there before is still used");

    trust.give_node_a_certificate();
    node.wait_for_line("secret changed");
    let newest = connect(&trust.client(None), node.address).await.expect("an encrypted connection");
    assert_ne!(certificate_of(&newest), kept);
}

#[tokio::test]
async fn clients_show_a_certificate_where_one_is_demanded() {
    let trust = Trust::new();
    let config = trust.path("config.yaml");
    std::fs::write(&config, "auth: {clientCertificates: required}\n").expect("room on the disk");
    let [config, authorities] = [config, trust.path("ca.pem")].map(|path| path.to_str().expect("plain").to_owned());
    let node = trust.start(&["--metrics-port", "0", "--config", &config, "--tls-ca", &authorities]);

    let mut known = connect(&trust.client(Some(&trust.sign())), node.address).await.expect("a connection");
    assert!(health(&mut known).await.is_ok());
    for unknown in [None, Some(Trust::new().sign())] {
        // The client learns of the refusal when it reads: with TLS 1.3 it is done before the node has judged it.
        let refused = match connect(&trust.client(unknown.as_ref()), node.address).await {
            Ok(mut stream) => health(&mut stream).await.is_err(),
            Err(_) => true,
        };
        assert!(refused);
    }
    assert!(health(&mut known).await.is_ok(), "others are served meanwhile");
}

/// C94
#[test]
fn wrong_files_end_the_start_with_2_and_one_sentence() {
    let trust = Trust::new();
    let other = trust.sign();
    std::fs::write(trust.path("other.pem"), other.key).expect("room on the disk");
    std::fs::write(trust.path("empty.pem"), "").expect("room on the disk");
    let file = |name: &str| trust.path(name).to_str().expect("a plain path").to_owned();
    let (certificate, key, ca) = (file("cert.pem"), file("key.pem"), file("ca.pem"));
    for (flags, words) in [
        (&["--tls-cert", &certificate][..], &["--tls-cert", "--tls-key"][..]),
        (&["--tls-key", &key], &["--tls-key", "--tls-cert"]),
        (&["--tls-ca", &ca], &["--tls-ca", "--tls-cert"]),
        (&["--tls-cert", &certificate, "--tls-key", &key, "--tls-ca", &ca], &["--tls-ca", "clientCertificates"]),
        (&["--tls-cert", &certificate, "--tls-key", "/nowhere/key"], &["key file", "/nowhere/key"]),
        (&["--tls-cert", &certificate, "--tls-key", &certificate], &["key file", "cert.pem", "no private key"]),
        (&["--tls-cert", &file("empty.pem"), "--tls-key", &key], &["certificate file", "empty.pem", "no certificate"]),
        (&["--tls-cert", &certificate, "--tls-key", &file("other.pem")], &["certificate file", "other.pem"]),
    ] {
        let fixed = ["--tenant", "dev", "--bind", "127.0.0.1", "--port", "0", "--metrics-port", "0"];
        let output = run(&[&fixed[..], flags].concat(), &[]);
        let sentence = String::from_utf8(output.stderr).expect("UTF-8");
        assert_eq!(output.status.code(), Some(2), "{flags:?}: {sentence}");
        assert!(sentence.ends_with(".\n") && sentence.lines().count() == 1, "{sentence:?} is not one sentence");
        for word in words {
            assert!(sentence.contains(word), "{sentence:?} does not name {word:?}");
        }
        assert!(!sentence.contains("BEGIN"), "nothing of a file is shown");
    }
}

#[test]
fn ctl_speaks_tls_with_a_node_whose_authority_it_is_told() {
    let trust = Trust::new();
    let flags = trust.flags();
    let flags: Vec<&str> = flags.iter().map(String::as_str).chain(["--port", "0", "--metrics-port", "0"]).collect();
    let node = Program::start(&flags, &[]);
    let url = format!("https://localhost:{}", node.address.port());
    let authority = trust.path("ca.pem");
    let authority = authority.to_str().expect("a plain path");
    let answered = run(&["ctl", "--url", &url, "--tls-ca", authority, "ping"], &[]);
    assert!(answered.stdout.starts_with(b"PONG"), "{}", String::from_utf8_lossy(&answered.stderr));
    let untold = run(&["ctl", "--url", &url, "ping"], &[]);
    assert_eq!(untold.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&untold.stderr).contains("--tls-ca"));
    let stranger = Trust::new();
    let stranger = stranger.path("ca.pem");
    let refused = run(&["ctl", "--url", &url, "--tls-ca", stranger.to_str().expect("a plain path"), "ping"], &[]);
    assert_eq!(refused.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("TLS was not agreed on"));
}
