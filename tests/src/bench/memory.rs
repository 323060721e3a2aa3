//! What a key costs: how much a node's resident memory grows while keys are written, divided by the keys. The kernel's
//! figure, not the node's own, so it has all that the allocator and the tables waste.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use http::{Method, Request};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use kvtenant_tests::clock;
use kvtenant_tests::progress::Step;
use tokio::net::TcpStream;

use super::clients::VALUE_BYTES;
use super::machine::Cores;
use super::servers::{self, TENANT};

/// Writers at once. The connections are there before memory is first looked at, so they are not counted as data.
const CONNECTIONS: usize = 16;

/// Written over and over before memory is first looked at, so that buffers and code are there.
const WARM_UP_WRITES: usize = 20_000;

/// Of these keys, which are not counted.
const WARM_UP_KEYS: usize = CONNECTIONS;

/// Bytes of a key: a letter and digits.
pub(crate) const KEY_BYTES: usize = 20;

/// What the node's memory grew by for one key, in bytes.
pub(crate) fn per_key(program: &Path, cores: Cores, folder: &Path, keys: usize) -> Result<f64> {
    let step = Step::start(format!("writing {keys} keys and looking at the memory they take"));
    let node = servers::kvnode("kvnode-memory", program, cores.servers, folder)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let pid = node.running.pid();
    let grown = runtime.block_on(async {
        let mut writers = Vec::new();
        for _ in 0..CONNECTIONS {
            writers.push(connect(node.address).await?);
        }
        write(&mut writers, 'w', WARM_UP_WRITES, WARM_UP_KEYS).await?;
        let before = resident_bytes(pid)?;
        write(&mut writers, 'k', keys, keys).await?;
        let grown = resident_bytes(pid)?.checked_sub(before);
        grown.context("the node has less memory after the keys were written than before")
    })?;
    let counted = node.ask(Method::GET, &format!("/{TENANT}/metrics"), None)?.body;
    let held = metric(&counted, "kv_keys").context("the node does not tell how many keys it has")?;
    #[expect(clippy::cast_precision_loss, reason = "the flag's bound is far below 2^53")]
    let (keys, wanted, grown) = (keys as f64, (keys + WARM_UP_KEYS) as f64, grown as f64);
    ensure!((held - wanted).abs() < 0.5, "{wanted} keys were written, but the node has {held}");
    let per_key = grown / keys;
    step.done(format!("{per_key:.0} bytes a key"));
    Ok(per_key)
}

async fn connect(address: SocketAddr) -> Result<SendRequest<Full<Bytes>>> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    // Ends when the sender is dropped; an error of its shows in the sender's next answer.
    tokio::spawn(connection);
    Ok(sender)
}

/// Writes keys `0..distinct` in turn until `writes` are done, each writer its share.
async fn write(
    writers: &mut Vec<SendRequest<Full<Bytes>>>,
    letter: char,
    writes: usize,
    distinct: usize,
) -> Result<()> {
    let mut tasks = tokio::task::JoinSet::new();
    let step = writers.len();
    for (first, mut writer) in writers.drain(..).enumerate() {
        tasks.spawn(async move {
            for number in (first..writes).step_by(step) {
                put(&mut writer, letter, number % distinct).await?;
            }
            anyhow::Ok(writer)
        });
    }
    while let Some(ended) = tasks.join_next().await {
        writers.push(ended??);
    }
    Ok(())
}

async fn put(writer: &mut SendRequest<Full<Bytes>>, letter: char, number: usize) -> Result<()> {
    ensure!(!clock::interrupted(), "interrupted while writing keys");
    let body = format!("{{\"value\":\"{number:0digits$}\"}}", digits = VALUE_BYTES - 2);
    let request = Request::builder()
        .method(Method::PUT)
        .uri(format!("/{TENANT}/kv/{}", key(letter, number)))
        .header("host", "bench")
        .header("content-type", "application/json")
        .body(Full::new(Bytes::from(body)))?;
    writer.ready().await?;
    let answer = writer.send_request(request).await?;
    let status = answer.status();
    let body = answer.into_body().collect().await?.to_bytes();
    ensure!(status == 200, "a key was refused with {status}: {}", String::from_utf8_lossy(&body));
    Ok(())
}

fn key(letter: char, number: usize) -> String {
    format!("{letter}{number:0digits$}", digits = KEY_BYTES - 1)
}

fn resident_bytes(pid: i32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).context("the node is gone")?;
    resident(&status).context("the kernel does not tell the node's memory")
}

fn resident(status: &str) -> Option<u64> {
    let kilobytes: u64 =
        status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kilobytes * 1024)
}

/// The first sample of this name on a page in Prometheus' text format.
fn metric(page: &str, name: &str) -> Option<f64> {
    let sample = |line: &str| Some(line.strip_prefix(name)?.strip_prefix([' ', '{'])?.rsplit(' ').next()?.to_owned());
    page.lines().find_map(sample)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_their_length_and_differ() {
        assert_eq!(key('k', 7).len(), KEY_BYTES);
        assert_ne!(key('k', 7), key('w', 7));
    }

    #[test]
    fn resident_memory_is_read_in_bytes() {
        assert_eq!(resident("VmHWM:\t    9 kB\nVmRSS:\t    2 kB\n"), Some(2048));
    }

    #[test]
    fn a_metric_is_found_by_its_whole_name() {
        let page = "# HELP kv_keys Keys\nkv_keys_max 9\nkv_keys{tenant=\"a b\"} 3\n";
        assert_eq!(metric(page, "kv_keys"), Some(3.0));
        assert_eq!(metric("kv_keys 4\n", "kv_keys"), Some(4.0));
        assert_eq!(metric(page, "kv_key"), None);
    }
}
