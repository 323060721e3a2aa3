//! Clients that are slow, silent or many: each is ended in its time, with words where words can be heard, and the others
//! are served meanwhile. The times are made short; what they are by default stands in `settings::timeouts`.

use std::net::SocketAddr;
use std::time::Duration;

use http::StatusCode;
use kvnode::settings::Settings;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{interval, timeout};

use crate::client::{get, put};
use crate::in_process::TestNode;
use crate::program::Program;

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// The times that are waited for.
const SHORT: Duration = Duration::from_millis(300);

/// A time that must not end first.
const LONG: Duration = Duration::from_secs(60);

fn node(change: impl FnOnce(&mut Settings)) -> TestNode {
    TestNode::changed(&[], &[], change)
}

/// Sends what is given, then a byte every now and then until the node has had enough; gives what it answered.
async fn drip(address: SocketAddr, first: &str, byte: u8) -> String {
    let stream = TcpStream::connect(address).await.expect("the node listens");
    let (mut reader, mut writer) = stream.into_split();
    writer.write_all(first.as_bytes()).await.expect("a connection");
    let dripping = async {
        let mut ticks = interval(Duration::from_millis(20));
        loop {
            ticks.tick().await;
            if writer.write_all(&[byte]).await.is_err() {
                return std::future::pending().await;
            }
        }
    };
    let mut answer = Vec::new();
    let ended = async {
        // A reset is an end, too: the node does not wait for bytes it will not read.
        let _ = reader.read_to_end(&mut answer).await;
    };
    tokio::select! {
        ended = timeout(PATIENCE, ended) => ended.expect("the node ends it"),
        () = dripping => {}
    }
    String::from_utf8(answer).expect("UTF-8")
}

#[tokio::test]
async fn a_head_that_comes_byte_by_byte_ends_in_its_time() {
    let node = node(|settings| settings.timeouts.next_head = SHORT);
    let answer = drip(node.address, "GET /dev/kv/k HTTP/1.1\r\nhost: x\r\nx-slow: ", b'x').await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert_eq!(get(node.address, "/livez").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_body_that_comes_byte_by_byte_is_408() {
    let node = node(|settings| settings.timeouts.body = SHORT);
    let head = "PUT /dev/kv/k HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1000000\r\n\r\n";
    let answer = drip(node.address, head, b' ').await;
    assert!(answer.starts_with("HTTP/1.1 408 Request Timeout\r\n"), "{answer}");
    assert!(answer.contains(r#""code":"BodyTooSlow""#) && answer.contains("0.3 seconds"), "{answer}");
    assert_eq!(get(node.address, "/dev/kv/k").await.status, StatusCode::NOT_FOUND, "nothing was written");
}

#[tokio::test]
async fn a_request_that_takes_too_long_as_a_whole_is_504() {
    let node = node(|settings| (settings.timeouts.body, settings.timeouts.request) = (LONG, SHORT));
    let head = "PUT /dev/kv/k HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1000000\r\n\r\n";
    let answer = drip(node.address, head, b' ').await;
    assert!(answer.starts_with("HTTP/1.1 504 Gateway Timeout\r\n"), "{answer}");
    assert!(answer.contains(r#""code":"OutcomeUnknown""#), "{answer}");
}

#[tokio::test]
async fn a_connection_that_says_nothing_more_is_closed() {
    let node = node(|settings| settings.timeouts.next_head = SHORT);
    for said in ["", "GET /livez HTTP/1.1\r\nhost: x\r\n\r\n"] {
        let mut stream = TcpStream::connect(node.address).await.expect("the node listens");
        stream.write_all(said.as_bytes()).await.expect("a connection");
        let mut answer = Vec::new();
        timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("the node ends it").expect("a clean end");
        let answer = String::from_utf8(answer).expect("UTF-8");
        assert_eq!(answer.contains("alive"), !said.is_empty(), "{answer}");
    }
}

/// The client sees its answers; whoever runs the node sees which were slow, with their keys and ids.
#[tokio::test]
async fn slow_requests_are_logged_with_their_keys() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let config = folder.path().join("config.yaml");
    std::fs::write(&config, "http: {slowRequest: 1ms}\n").expect("room on the disk");
    let config = config.to_str().expect("a plain path");
    let mut node = Program::start(&["--port", "0", "--metrics-port", "0", "--config", config], &[]);
    let mut stream = TcpStream::connect(node.address).await.expect("the node listens");
    let body = r#"{"value":1}"#;
    let head = format!(
        "PUT /dev/kv/a%2Fb HTTP/1.1\r\nhost: x\r\nx-request-id: id-1\r\ncontent-type: application/json\r\n\
         expect: 100-continue\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.expect("a connection");
    let mut go_on = [0; 25];
    stream.read_exact(&mut go_on).await.expect("a first answer");
    // This time is the request's own: the node waits for the body.
    tokio::time::sleep(Duration::from_millis(2)).await;
    stream.write_all(body.as_bytes()).await.expect("a connection");
    let line = node.wait_for_line("slow request");
    assert_eq!((line["level"].as_str(), line["method"].as_str()), (Some("WARN"), Some("PUT")));
    assert_eq!((line["key"].as_str(), line["request_id"].as_str()), (Some("a/b"), Some("id-1")));
    assert_eq!((line["endpoint"].as_str(), line["status"].as_u64()), (Some("/{tenant}/kv/{key}"), Some(200)));
    assert!(line["duration_ms"].as_f64().expect("a number") >= 1.0, "{line}");
    assert_eq!((line["tenant_id"].as_str(), line["left_out"].as_u64()), (Some("dev"), Some(0)));
    put(node.address, "/dev/kv/k", body).await;
}
