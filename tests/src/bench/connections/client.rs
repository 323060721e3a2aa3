//! The client: thousands of connections on one thread. It first finds the top rate, each active connection sending its
//! next request when it has the last answer; then sends at half of that rate and looks how long answers take.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use kvtenant_tests::clock::{self, Stopwatch};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::protocol::Protocol;

/// An answer that takes so long is an error: nobody waits for it any more.
pub(super) const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// Of the top rate. At the top itself every server has a queue, and its length is all that is measured.
const LOAD: f64 = 0.5;

/// Whom to ask, and with how many connections.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target {
    pub(super) address: SocketAddr,
    pub(super) protocol: Protocol,
    pub(super) idle: usize,
    pub(super) active: usize,
}

/// What came of one round.
#[derive(Clone, Debug)]
pub(super) struct Round {
    pub(super) top_per_second: f64,
    pub(super) answers: u64,
    pub(super) half_per_second: f64,
    pub(super) half: Latencies,
    pub(super) errors: Errors,
}

/// Requests and connections without the right answer.
#[derive(Clone, Debug, Default)]
pub(super) struct Errors {
    pub(super) count: usize,
    /// What went wrong first.
    pub(super) first: Option<String>,
}

impl Errors {
    fn add(&mut self, error: &anyhow::Error) {
        self.count += 1;
        self.first.get_or_insert_with(|| format!("{error:#}"));
    }

    fn join(&mut self, other: Self) {
        self.count += other.count;
        self.first = self.first.take().or(other.first);
    }
}

/// Of answers.
#[derive(Clone, Debug, Default)]
pub(super) struct Latencies(Vec<Duration>);

impl Latencies {
    pub(super) fn of(mut all: Vec<Duration>) -> Self {
        all.sort_unstable();
        Self(all)
    }

    /// The least latency that so many of a thousand answers did not exceed; none of no answers.
    pub(super) fn quantile(&self, per_mille: usize) -> Option<Duration> {
        let rank = (self.0.len() * per_mille).div_ceil(1000).max(1);
        self.0.get(rank - 1).copied()
    }
}

/// Opens all connections, loads the active ones for `seconds` at the top rate and as long at half of it.
pub(super) async fn round(target: Target, seconds: u64) -> Result<Round> {
    let lasting = Duration::from_secs(seconds);
    let mut errors = Errors::default();
    let mut idle = open(target, target.idle, &mut errors).await;
    let active = open(target, target.active, &mut errors).await;
    ensure!(!active.is_empty(), "no connection was answered: {}", errors.first.unwrap_or_default());
    let every = |pace: Option<Pace>| Run { watch: Stopwatch::start(), lasting, pace };

    let top = load(active, |_| every(None), &mut errors).await?;
    // Between the two loads as well as after them, so that no idle connection is idle for longer than a load lasts.
    look_at(&mut idle, &mut errors).await;
    let top_per_second = per_second(top.latencies.len(), top.elapsed);
    let connections = top.connections.len();
    ensure!(connections > 0, "no connection was left: {}", errors.first.unwrap_or_default());
    #[expect(clippy::cast_precision_loss, reason = "some thousand connections")]
    let interval = Duration::from_secs_f64(connections as f64 / (top_per_second * LOAD));
    let start = Stopwatch::start();
    let paced = |number| Run { watch: start, ..every(Some(Pace::of(interval, number, connections))) };
    let half = load(top.connections, paced, &mut errors).await?;
    look_at(&mut idle, &mut errors).await;

    Ok(Round {
        top_per_second,
        answers: (top.latencies.len() + half.latencies.len()) as u64,
        half_per_second: per_second(half.latencies.len(), half.elapsed),
        half: Latencies::of(half.latencies),
        errors,
    })
}

/// A connection that was answered once is surely the server's, and no longer only the kernel's.
async fn open(target: Target, count: usize, errors: &mut Errors) -> Vec<Connection> {
    let mut opened = Vec::with_capacity(count);
    for _ in 0..count {
        let answered = async {
            let mut connection = Connection::open(target).await?;
            connection.exchange().await?;
            anyhow::Ok(connection)
        };
        match answered.await {
            Ok(connection) => opened.push(connection),
            Err(error) => errors.add(&error),
        }
        if clock::interrupted() {
            break;
        }
    }
    opened
}

/// Sees that each of these still answers; those that do not are errors, once.
async fn look_at(idle: &mut Vec<Connection>, errors: &mut Errors) {
    let mut alive = Vec::with_capacity(idle.len());
    for mut connection in idle.drain(..) {
        match connection.exchange().await {
            Ok(()) => alive.push(connection),
            Err(error) => errors.add(&error),
        }
    }
    *idle = alive;
}

#[derive(Debug)]
struct Loaded {
    connections: Vec<Connection>,
    latencies: Vec<Duration>,
    elapsed: Duration,
}

/// Every connection on its own, as `run` says for its number.
async fn load(connections: Vec<Connection>, run: impl Fn(usize) -> Run, errors: &mut Errors) -> Result<Loaded> {
    let watch = Stopwatch::start();
    let mut tasks = JoinSet::new();
    for (number, connection) in connections.into_iter().enumerate() {
        tasks.spawn(run(number).on(connection));
    }
    let mut loaded = Loaded { connections: Vec::new(), latencies: Vec::new(), elapsed: Duration::ZERO };
    while let Some(ended) = tasks.join_next().await {
        let (connection, latencies, wrong) = ended.context("a task of the client ended early")?;
        loaded.connections.extend(connection);
        loaded.latencies.extend(latencies);
        errors.join(wrong);
    }
    ensure!(!clock::interrupted(), "interrupted while requests were sent");
    loaded.elapsed = watch.elapsed();
    Ok(loaded)
}

/// When the requests of one connection are due.
#[derive(Clone, Copy, Debug)]
struct Pace {
    first: Duration,
    interval: Duration,
}

impl Pace {
    /// The connections' turns are spread evenly over the interval, or all would send at once.
    fn of(interval: Duration, number: usize, connections: usize) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "some thousand connections")]
        let part = number as f64 / connections as f64;
        Self { first: interval.mul_f64(part), interval }
    }
}

/// One connection's work.
#[derive(Clone, Copy, Debug)]
struct Run {
    watch: Stopwatch,
    lasting: Duration,
    /// None: the next request when the last was answered.
    pace: Option<Pace>,
}

impl Run {
    /// Gives the connection back unless it failed.
    async fn on(self, mut connection: Connection) -> (Option<Connection>, Vec<Duration>, Errors) {
        let (mut latencies, mut errors) = (Vec::new(), Errors::default());
        let mut due = self.pace.map_or(Duration::ZERO, |pace| pace.first);
        while self.watch.elapsed().max(due) < self.lasting && !clock::interrupted() {
            let begin = if self.pace.is_some() { self.wait(due).await } else { self.watch.elapsed() };
            if let Err(error) = connection.exchange().await {
                errors.add(&error);
                return (None, latencies, errors);
            }
            latencies.push(self.watch.elapsed().saturating_sub(begin));
            due += self.pace.map_or(Duration::ZERO, |pace| pace.interval);
        }
        (Some(connection), latencies, errors)
    }

    /// Waits until a request is due and gives the time from which its answer is waited for. A request that is late
    /// because the answer before it was counts from when it was due: what a slow server holds up is part of its
    /// slowness. That a timer of ours is late (they count in milliseconds) is not.
    async fn wait(&self, due: Duration) -> Duration {
        let early = due.saturating_sub(self.watch.elapsed());
        if early.is_zero() {
            return due;
        }
        sleep(early).await;
        self.watch.elapsed()
    }
}

#[derive(Debug)]
struct Connection {
    stream: TcpStream,
    protocol: Protocol,
    request: Vec<u8>,
    reply: Vec<u8>,
}

impl Connection {
    async fn open(target: Target) -> Result<Self> {
        let stream = timeout(ANSWER_WITHIN, TcpStream::connect(target.address)).await.context("connecting")??;
        stream.set_nodelay(true)?;
        let protocol = target.protocol;
        Ok(Self { stream, protocol, request: protocol.request(), reply: Vec::new() })
    }

    async fn exchange(&mut self) -> Result<()> {
        let exchange = async {
            self.stream.write_all(&self.request).await?;
            self.reply.clear();
            loop {
                let read = self.stream.read_buf(&mut self.reply).await?;
                ensure!(read > 0, "the server closed the connection");
                if let Some(bytes) = self.protocol.reply_bytes(&self.reply)? {
                    ensure!(self.reply.len() <= bytes, "more was sent than was asked for");
                    if self.reply.len() == bytes {
                        return Ok(());
                    }
                }
            }
        };
        timeout(ANSWER_WITHIN, exchange).await.context("no answer in time")?
    }
}

fn per_second(count: usize, elapsed: Duration) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "no run has 2^53 requests")]
    let count = count as f64;
    count / elapsed.as_secs_f64()
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    const VALUE: &[u8] = b"$3\r\nabc\r\n";

    /// Answers each connection's requests until it has answered `answers` of them, then closes it.
    async fn server(answers: usize) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let mut request = vec![0; Protocol::Resp.request().len()];
                    for _ in 0..answers {
                        let answered = stream.read_exact(&mut request).await;
                        if answered.is_err() || stream.write_all(VALUE).await.is_err() {
                            return;
                        }
                    }
                });
            }
        });
        address
    }

    async fn round_of(answers: usize) -> Result<Round> {
        let address = server(answers).await;
        round(Target { address, protocol: Protocol::Resp, idle: 3, active: 2 }, 1).await
    }

    #[tokio::test]
    async fn the_second_load_is_half_of_the_first() {
        let round = round_of(usize::MAX).await.unwrap();
        assert_eq!(round.errors.count, 0, "{:?}", round.errors);
        let ratio = round.half_per_second / round.top_per_second;
        // Only an upper bound: on a busy machine a client may not get to send all it should.
        assert!(ratio < 0.6 && round.half.quantile(990).is_some(), "{ratio}");
    }

    #[tokio::test]
    async fn idle_connections_that_are_closed_are_errors() {
        let (address, mut errors) = (server(1).await, Errors::default());
        let target = Target { address, protocol: Protocol::Resp, idle: 3, active: 0 };
        let mut idle = open(target, target.idle, &mut errors).await;
        assert_eq!((idle.len(), errors.count), (3, 0));
        look_at(&mut idle, &mut errors).await;
        assert_eq!((idle.len(), errors.count), (0, 3));
        assert!(errors.first.is_some());
    }

    #[tokio::test]
    async fn a_server_that_answers_nobody_is_an_error_and_no_figure() {
        let error = round_of(0).await.unwrap_err().to_string();
        assert!(error.starts_with("no connection was answered: "), "{error}");
    }

    #[test]
    fn a_quantile_is_an_answer_that_was_seen() {
        let latencies = Latencies::of((1..=100).rev().map(Duration::from_millis).collect());
        let quantile = |per_mille| latencies.quantile(per_mille).map(|latency| latency.as_millis());
        assert_eq!((quantile(500), quantile(990), quantile(999)), (Some(50), Some(99), Some(100)));
        assert_eq!(Latencies::default().quantile(500), None);
    }

    #[test]
    fn the_turns_of_connections_are_spread_over_the_interval() {
        let first = |number| Pace::of(Duration::from_millis(100), number, 4).first.as_millis();
        assert_eq!([0, 1, 3].map(first), [0, 25, 75]);
    }
}
