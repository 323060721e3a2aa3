//! TLS on the port of clients: who may connect, what they see, and what happens when certificates change.

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use http::StatusCode;
use rustls::pki_types::CertificateDer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use crate::client::get;
use crate::in_process::TestNode;
use crate::program::{Program, run};
use crate::redis::wire::Wire;
use crate::trust::{Trust, connect};

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

/// Sends these commands and reads so many bytes.
async fn exchange(stream: &mut TlsStream<TcpStream>, commands: &str, answer: &str) {
    stream.write_all(commands.as_bytes()).await.expect("a connection");
    let mut found = vec![0; answer.len()];
    stream.read_exact(&mut found).await.expect("an answer");
    assert_eq!(String::from_utf8_lossy(&found), answer);
}

fn resp_addresses(node: &TestNode) -> [SocketAddr; 2] {
    let addresses = node.resp_addresses;
    [addresses.plain, addresses.cluster].map(|address| address.expect("the port is open"))
}

/// C124
#[tokio::test]
async fn redis_clients_must_speak_tls_on_both_ports() {
    let trust = Trust::new();
    let flags = trust.flags();
    let node = TestNode::with_resp(&flags.iter().map(String::as_str).collect::<Vec<_>>());
    for address in resp_addresses(&node) {
        let mut stream = connect(&trust.client(None), address).await.expect("an encrypted connection");
        exchange(&mut stream, "SET k v\r\nGET k\r\n", "+OK\r\n$1\r\nv\r\n").await;
        // Many records each way.
        let value = "v".repeat(300_000);
        let set = format!("*3\r\n$3\r\nSET\r\n$4\r\nlong\r\n$300000\r\n{value}\r\nGET long\r\n");
        exchange(&mut stream, &set, &format!("+OK\r\n$300000\r\n{value}\r\n")).await;

        let mut plain = Wire::to(address);
        plain.send(b"PING\r\nPING\r\nPING\r\n");
        let answered = plain.rest();
        assert!(!answered.starts_with(b"+"), "nothing is answered in the clear");
        assert!(connect(&Trust::new().client(None), address).await.is_err(), "who trusts others finds no node here");
        exchange(&mut stream, "PING\r\n", "+PONG\r\n").await;
    }
}

/// Who says nothing, or only half of what it takes, is closed in time; who has agreed may be silent for longer.
#[tokio::test]
async fn a_redis_client_agrees_on_tls_in_time_or_goes() {
    const HANDSHAKE: Duration = Duration::from_millis(400);
    const ALERT: u8 = 21;
    let trust = Trust::new();
    let flags = trust.flags();
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let node = TestNode::with_resp_changed(&flags, |settings| settings.timeouts.handshake = HANDSHAKE);
    for address in resp_addresses(&node) {
        let mut agreed = connect(&trust.client(None), address).await.expect("an encrypted connection");
        let silent = Wire::to(address);
        let mut half = Wire::to(address);
        // The head of a record with a first message of 512 bytes, and nothing of those.
        half.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc");
        for mut stranger in [silent, half] {
            // A word of goodbye, as TLS has it, and the end.
            let told = stranger.rest();
            assert!(told.is_empty() || told[0] == ALERT, "{told:?}");
        }
        exchange(&mut agreed, "PING\r\n", "+PONG\r\n").await;
    }
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
