//! Both ways beside each other: the same bytes go to two nodes, of which one has no short way. What comes back must be
//! the same, byte for byte, but for dates, times and ids that were drawn by lot; and so must what the metrics counted.

use std::ffi::OsString;
use std::fmt::Write;
use std::net::SocketAddr;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use tokio::io::{AsyncReadExt, duplex};

use super::*;
use crate::clock::Clock;
use crate::connections::{Lifetime, Ways, talk};
use crate::http::public;
use crate::settings::machine::Machine;
use crate::settings::{Request, resolve};

const MASTER_KEY: &str = "a-master-key-of-some-length-0123456789";

/// As many as find every difference that was put in to see whether it is found.
const SEEDS: u64 = 300;

const REQUESTS_MAX: usize = 12;

const FROM: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 1);

/// More than any exchange here.
const PIPE_BYTES: usize = 1 << 20;

struct Side {
    shared: Arc<Shared>,
    ways: Ways,
}

impl Side {
    fn new(is_hot: bool) -> Self {
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        std::fs::write(file.path(), "http:\n  corsOrigins: [\"https://example.org\"]\n").expect("room on the disk");
        let config = ["--config", file.path().to_str().expect("a plain path")];
        let arguments =
            ["kvnode", "--tenant", "dev", "--name", "n0", "--memory-limit", "64Mi"].into_iter().chain(config);
        let machine = Machine { memory_bytes: Some(1 << 30), cpu_cores: 1.0 };
        let variable = |name: &str| (name == "ADMIN_KEY").then(|| MASTER_KEY.into());
        let settings = match resolve(arguments.map(OsString::from), &variable, &machine) {
            Ok(Request::Run(settings)) => *settings,
            other => panic!("no good settings: {other:?}"),
        };
        let shared = Arc::new(Shared::new(settings, Clock::default(), None).expect("a shared state"));
        let hot = is_hot.then(|| Arc::new(Hot::new(&shared)));
        Self { ways: Ways { router: public(&shared), hot }, shared }
    }

    /// All that comes back for these pieces, each of which is seen alone.
    async fn exchange(&self, pieces: &[&[u8]]) -> Vec<u8> {
        let (mut client, server) = duplex(PIPE_BYTES);
        let serving = talk(server, FROM, self.ways.clone(), Arc::clone(&self.shared), Lifetime::UntilDrain);
        let asking = async {
            use tokio::io::AsyncWriteExt;
            for piece in pieces {
                // An end that comes early is seen in what was answered.
                let _ = client.write_all(piece).await;
                tokio::task::yield_now().await;
            }
            let _ = client.shutdown().await;
            let mut answers = Vec::new();
            let _ = client.read_to_end(&mut answers).await;
            answers
        };
        let ((), answers) = tokio::join!(serving, asking);
        answers
    }

    /// What was counted, without what was measured.
    fn counted(&self) -> Vec<String> {
        let page = self.shared.metrics_page();
        let counts = ["http_requests_total{", "kvstore_operations_total{", "http_request_duration_seconds_count"];
        let mut lines: Vec<_> =
            page.lines().filter(|line| counts.iter().any(|count| line.starts_with(count))).collect();
        lines.sort_unstable();
        lines.into_iter().map(str::to_owned).collect()
    }
}

/// Without what is of the moment: dates, times, and ids of requests that brought none.
fn timeless(answers: &[u8]) -> String {
    let text = String::from_utf8_lossy(answers);
    let mut lines = Vec::new();
    for line in text.split("\r\n") {
        lines.push(match line.split_once(": ") {
            Some(("date", _)) => "date: …".to_owned(),
            Some(("x-request-id", id)) if id.len() == 32 => "x-request-id: …".to_owned(),
            _ => without_times(line),
        });
    }
    lines.join("\n")
}

/// Times in bodies all have one length.
fn without_times(line: &str) -> String {
    const TIME: &str = "2000-01-01T00:00:00.000Z";
    let mut text = line.to_owned();
    let is_time = |part: &str| {
        part.len() == TIME.len()
            && part
                .bytes()
                .zip(TIME.bytes())
                .all(|(one, other)| one == other || (one.is_ascii_digit() && other.is_ascii_digit()))
    };
    let starts: Vec<_> = text.char_indices().map(|(start, _)| start).collect();
    for start in starts {
        if text.get(start..start + TIME.len()).is_some_and(is_time) {
            text.replace_range(start..start + TIME.len(), TIME);
        }
    }
    text
}

fn any<'t>(random: &mut StdRng, texts: &[&'t str]) -> &'t str {
    texts.choose(random).expect("there is one")
}

/// A request that is mostly plain, often nearly so, and sometimes nothing of the kind.
fn request(random: &mut StdRng) -> Vec<u8> {
    let odd = |random: &mut StdRng| random.random_bool(0.04);
    let method = if odd(random) {
        any(random, &["HEAD", "POST", "PATCH", "OPTIONS", "BREW", "get"])
    } else {
        any(random, &["GET", "GET", "GET", "PUT", "PUT", "DELETE"])
    };
    let prefix = if odd(random) {
        any(
            random,
            &[
                "/other/kv/",
                "/dev//kv/",
                "/kv",
                "/dev/kv/a/",
                "/api/v2/kv/",
                "//kv/",
                "/api/v1/kv/stats/",
                "/d%65v/kv/",
            ],
        )
    } else {
        any(random, &["/dev/kv/", "/kv/", "/api/v1/kv/", "/dev/api/v1/kv/"])
    };
    let key = if odd(random) {
        any(
            random,
            &["", "batch", "%ff", "%zz", "a%2Fb", "%0A", "%20", "a/ttl", "a/exists", "count", "a#b", "a\"b", "+", "%"],
        )
    } else {
        any(random, &["a", "b", "c", "two%20words", "%C3%BC", "a.b_c~d!e@f", "batch2"])
    };
    let query = if random.random_bool(0.8) {
        ""
    } else {
        any(
            random,
            &[
                "?raw=true",
                "?raw=false",
                "?raw=maybe",
                "?ifVersion=1",
                "?ifVersion=0",
                "?ifVersion=x",
                "?ttl=50",
                "?upsert=true",
                "?nosuch=1",
                "?",
                "?raw=true&raw=true",
                "?%72aw=true",
                "?a=%zz",
                "?ttl=0&ifVersion=2",
            ],
        )
    };
    let version = if odd(random) { any(random, &["HTTP/1.0", "HTTP/1.2", "HTTP/2.0", ""]) } else { "HTTP/1.1" };
    let mut head = format!(
        "{method} {prefix}{key}{query} {version}\r\nHost: node\r\nX-Request-Id: r-{}\r\n",
        random.random_range(0..9)
    );
    for _ in 0..random.random_range(0..4) {
        head += any(
            random,
            &[
                "User-Agent: test",
                "Accept: */*",
                "Accept: application/octet-stream",
                "Accept: text/html, application/octet-stream;q=0.5",
                "If-Match: \"1\"",
                "If-Match: *",
                "If-Match: W/\"1\"",
                "If-Match: 1",
                "If-None-Match: \"1\"",
                "If-None-Match: *",
                "if-none-match: \"2\", \"3\"",
                "Prefer: return=minimal",
                "X-API-Key: wrong",
                "Authorization: Bearer wrong",
                "Authorization: Basic wrong",
                "Content-Type: application/json; charset=utf-8",
                "Content-Type: application/octet-stream",
                "Content-Type: text/plain",
                "Connection: keep-alive",
                "Cookie: a=b",
                "X-Odd: \u{fc}",
            ],
        );
        head += "\r\n";
    }
    if random.random_bool(0.6) {
        write!(head, "X-API-Key: {MASTER_KEY}\r\n").expect("memory takes everything");
    }
    if random.random_bool(0.15) {
        head += any(
            random,
            &[
                "Connection: close",
                "Connection: Keep-Alive, TE",
                "Expect: 100-continue",
                "Content-Length: 3",
                "Content-Length: 11",
                "Origin: https://example.org",
                "Idempotency-Key: k",
                "Upgrade: h2c",
                " folded",
                "X Y: z",
                "Transfer-Encoding: gzip, chunked",
                "X-Request-Id: another",
                "X-Request-Id: \u{7}",
            ],
        );
        head += "\r\n";
    }
    let long = format!("{{\"value\":\"{}\"}}", "x".repeat(random.random_range(4000..4200)));
    let has_body = if odd(random) { method != "PUT" } else { method == "PUT" || method == "PATCH" || method == "POST" };
    let body = if has_body {
        any(
            random,
            &[
                "{\"value\":1}",
                "{\"value\":{\"b\":1,\"a\":[1e400]},\"ttl\":50,\"tags\":{\"x\":\"y\"}}",
                "{\"value\":null}",
                "{}",
                "\"text\"",
                "[1,2]",
                "",
                "{\"value\":",
                "\u{fc}",
                "{\"value\":1,\"ttl\":-1}",
                "{\"ttl\":60}",
                &long,
            ],
        )
        .to_owned()
    } else {
        String::new()
    };
    if has_body && odd(random) {
        head += "Transfer-Encoding: chunked\r\n";
        return [head.into_bytes(), format!("\r\n{:x}\r\n{body}\r\n0\r\n\r\n", body.len()).into_bytes()].concat();
    }
    if has_body || odd(random) {
        let length =
            if odd(random) { any(random, &["0", "5", "-1", "1x", ""]).to_owned() } else { body.len().to_string() };
        write!(head, "Content-Length: {length}\r\n").expect("memory takes everything");
    }
    format!("{head}\r\n{body}").into_bytes()
}

/// Where the bytes are taken apart.
fn pieces<'b>(random: &mut StdRng, bytes: &'b [u8]) -> Vec<&'b [u8]> {
    let mut pieces = Vec::new();
    let mut rest = bytes;
    let count = *[1, 1, 2, 4].choose(random).expect("four of them");
    for _ in 1..count {
        let (piece, behind) = rest.split_at(random.random_range(0..=rest.len()));
        pieces.push(piece);
        rest = behind;
    }
    pieces.push(rest);
    pieces
}

#[tokio::test]
async fn both_ways_answer_byte_for_byte_the_same() {
    let (hot, general) = (Side::new(true), Side::new(false));
    for seed in 0..SEEDS {
        let random = &mut StdRng::seed_from_u64(seed);
        let requests: Vec<_> = (0..random.random_range(1..=REQUESTS_MAX)).map(|_| request(random)).collect();
        let bytes = requests.concat();
        let pieces = pieces(random, &bytes);
        let expected = timeless(&general.exchange(&pieces).await);
        let answered = timeless(&hot.exchange(&pieces).await);
        let asked = String::from_utf8_lossy(&bytes);
        for (number, (answered, expected)) in answered.lines().zip(expected.lines()).enumerate() {
            assert_eq!(answered, expected, "seed {seed}, line {number} of the answers to\n{asked}");
        }
        assert_eq!(answered, expected, "seed {seed}\n{asked}");
        assert_eq!(hot.counted(), general.counted(), "seed {seed}\n{asked}");
    }
}

/// However a request is taken apart, it is the same request.
#[tokio::test]
async fn a_pipeline_may_be_split_anywhere() {
    let put = "PUT /dev/kv/k HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\n{\"value\":1}";
    let get = "GET /dev/kv/k?raw=true HTTP/1.1\r\nHost: h\r\n\r\n";
    let bytes = format!("{put}{get}DELETE /dev/kv/k HTTP/1.1\r\nHost: h\r\n\r\n{get}").into_bytes();
    let (hot, general) = (Side::new(true), Side::new(false));
    for at in 0..bytes.len() {
        let pieces = [&bytes[..at], &bytes[at..]];
        let expected = timeless(&general.exchange(&pieces).await);
        assert_eq!(timeless(&hot.exchange(&pieces).await), expected, "split at {at}");
    }
}

/// Otherwise all of the above would compare the general way with itself.
#[tokio::test]
async fn plain_requests_stay_on_the_short_way() {
    let side = Side::new(true);
    let hot = side.ways.hot.as_ref().expect("it has one");
    let rest = [
        "PUT /kv/k HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: 1\r\n\r\n5",
        "GET /dev/kv/k HTTP/1.1\r\nHost: h\r\nIf-None-Match: \"7\"\r\n\r\n",
        "GET /dev/kv/none HTTP/1.1\r\nHost: h\r\n\r\n",
        "PUT /api/v1/kv/k?upsert=true HTTP/1.1\r\nHost: h\r\nX-API-Key: wrong\r\nContent-Length: 0\r\n\r\n",
        "DELETE /dev/kv/k HTTP/1.1\r\nHost: h\r\n\r\n",
    ]
    .concat();
    let (mut client, mut server) = duplex(PIPE_BYTES);
    tokio::io::AsyncWriteExt::write_all(&mut client, rest.as_bytes()).await.expect("room");
    tokio::io::AsyncWriteExt::shutdown(&mut client).await.expect("it is open");
    let left = serve(&mut server, FROM.ip(), hot).await.expect("nothing is wrong with it");
    assert!(matches!(left, Left::Ended), "{left:?}");
    drop(server);
    let mut answers = String::new();
    client.read_to_string(&mut answers).await.expect("answers are text");
    let statuses: Vec<_> = answers.split("HTTP/1.1 ").skip(1).map(|answer| &answer[..3]).collect();
    assert_eq!(statuses, ["200", "200", "404", "401", "200"]);
}
