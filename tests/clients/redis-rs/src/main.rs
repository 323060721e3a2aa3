//! What a Rust program does with redis-rs, on both ports and in both versions of the protocol.

use std::collections::BTreeSet;
use std::env;
use std::io;
use std::thread;
use std::time::{Duration, Instant};

use redis::cluster::{ClusterClientBuilder, ClusterConnection, cluster_pipe};
use redis::{
    Client, Commands, Connection, ConnectionInfo, ConnectionLike, ErrorKind, FromRedisValue, IntoConnectionInfo,
    ProtocolVersion, RedisError, RedisResult, cmd, pipe,
};

/// A restart takes a moment; a client that has not found back by then will not.
const BACK_WITHIN: Duration = Duration::from_secs(30);

/// As `Cargo.toml` pins it.
const VERSION: &str = "1.8.1";

/// Keys that one client may use.
struct Keys(String);

impl Keys {
    fn at(&self, name: &str) -> String {
        format!("{}{name}", self.0)
    }
}

fn info(variable: &str, protocol: ProtocolVersion) -> RedisResult<ConnectionInfo> {
    let address = env::var(variable).expect("the test names both ports");
    let info = format!("redis://{address}").into_connection_info()?;
    let mut settings = info.redis_settings().clone().set_protocol(protocol);
    if let Ok(secret) = env::var("KVT_SECRET") {
        settings = settings.set_password(secret);
    }
    Ok(info.set_redis_settings(settings))
}

fn equal<T: PartialEq + std::fmt::Debug>(found: T, wanted: T) -> RedisResult<()> {
    if found == wanted {
        return Ok(());
    }
    Err(RedisError::from(io::Error::other(format!("{wanted:?} was expected, {found:?} came"))))
}

fn refused<T: FromRedisValue + std::fmt::Debug>(words: &str, answer: RedisResult<T>) -> RedisResult<()> {
    match answer {
        Err(error) if error.to_string().contains(words) => Ok(()),
        other => Err(io::Error::other(format!("an error with {words:?} was expected, {other:?} came")).into()),
    }
}

fn values<C: ConnectionLike>(c: &mut C, keys: &Keys) -> RedisResult<()> {
    let text = keys.at("text");
    equal(cmd("PING").query::<String>(c)?, "PONG".to_owned())?;
    c.set::<_, _, ()>(&text, "value")?;
    equal(c.get(&text)?, Some("value".to_owned()))?;
    equal(c.get::<_, Option<String>>(keys.at("nothing"))?, None)?;
    let binary = [0, b'\r', b'\n', 0xff].repeat(10_000);
    c.set::<_, _, ()>(keys.at("binary"), binary.as_slice())?;
    equal(cmd("GET").arg(keys.at("binary")).query::<Vec<u8>>(c)?, binary)?;
    equal(c.append::<_, _, usize>(&text, " and more")?, 14)?;
    equal(c.getrange::<_, String>(&text, 6, 8)?, "and".to_owned())?;
    equal(cmd("SET").arg(&text).arg("other").arg("NX").query::<Option<String>>(c)?, None)?;
    equal(c.getset(&text, "other")?, Some("value and more".to_owned()))?;
    equal(c.get_del(&text)?, Some("other".to_owned()))?;
    equal(c.exists::<_, bool>(&text)?, false)
}

fn numbers<C: ConnectionLike>(c: &mut C, keys: &Keys) -> RedisResult<()> {
    let n = keys.at("n");
    equal(c.incr::<_, _, i64>(&n, 1)?, 1)?;
    equal(c.incr::<_, _, i64>(&n, 41)?, 42)?;
    equal(cmd("INCRBYFLOAT").arg(&n).arg("0.5").query::<f64>(c)?, 42.5)?;
    refused("not an integer", cmd("INCR").arg(&n).query::<i64>(c))
}

fn lifetimes<C: ConnectionLike>(c: &mut C, keys: &Keys) -> RedisResult<()> {
    let brief = keys.at("brief");
    c.set_ex::<_, _, ()>(&brief, "x", 100)?;
    let left: i64 = cmd("TTL").arg(&brief).query(c)?;
    equal(left > 90 && left <= 100, true)?;
    equal(c.persist::<_, bool>(&brief)?, true)?;
    equal(cmd("TTL").arg(&brief).query::<i64>(c)?, -1)?;
    equal(c.pexpire::<_, bool>(&brief, -1)?, true)?;
    equal(c.get::<_, Option<String>>(&brief)?, None)
}

/// `scanner` is a connection to the node: a cluster's own would not know which one to ask.
fn many<C: ConnectionLike>(c: &mut C, scanner: &mut Connection, keys: &Keys) -> RedisResult<()> {
    let pairs: Vec<_> = (0..50).map(|number| (keys.at(&format!("many:{number:02}")), number.to_string())).collect();
    c.mset::<_, _, ()>(&pairs)?;
    let names: Vec<&String> = pairs.iter().map(|(name, _)| name).collect();
    let found: Vec<Option<String>> = cmd("MGET").arg(&names).arg(keys.at("nothing")).query(c)?;
    equal(found.len(), 51)?;
    equal(found[49].as_deref(), Some("49"))?;
    let mut scan = cmd("SCAN");
    let pages = scan.cursor_arg(0).arg("MATCH").arg(keys.at("many:*")).arg("COUNT").arg(7);
    let found: BTreeSet<String> = pages.clone().iter::<String>(scanner)?.collect::<RedisResult<_>>()?;
    equal(found.iter().collect::<Vec<_>>(), names.clone())?;
    equal(c.del::<_, usize>(&names)?, 50)
}

fn pipelines(c: &mut Connection, keys: &Keys) -> RedisResult<()> {
    let mut pipeline = pipe();
    for number in 0..100 {
        let name = keys.at(&format!("p:{number}"));
        pipeline.set(&name, number).ignore().get(&name);
    }
    equal(pipeline.query::<Vec<i64>>(c)?, (0..100).collect())
}

fn cluster_pipelines(c: &mut ClusterConnection, keys: &Keys) -> RedisResult<()> {
    let mut pipeline = cluster_pipe();
    for number in 0..100 {
        let name = keys.at(&format!("p:{number}"));
        pipeline.set(&name, number).ignore().get(&name);
    }
    equal(pipeline.query::<Vec<i64>>(c)?, (0..100).collect())
}

/// WATCH belongs to a connection: `own` is one of the same client's.
fn transactions<C: ConnectionLike>(c: &mut C, own: &mut Connection, keys: &Keys) -> RedisResult<()> {
    let balance = keys.at("balance");
    c.set::<_, _, ()>(&balance, 10)?;
    let mut attempts = 0;
    let done: (i64,) = redis::transaction(own, &[&balance], |own, pipeline| {
        attempts += 1;
        let found: i64 = cmd("GET").arg(&balance).query(own)?;
        if attempts == 1 {
            c.set::<_, _, ()>(&balance, 100)?;
        }
        pipeline.set(&balance, found + 5).ignore().get(&balance).query(own)
    })?;
    // The first attempt is refused, because somebody was quicker.
    equal((attempts, done.0), (2, 105))
}

fn compare_and_set<C: ConnectionLike>(c: &mut C, keys: &Keys) -> RedisResult<()> {
    let name = keys.at("cas");
    c.set::<_, _, ()>(&name, "old")?;
    let swap = |old: &str| cmd("SET").arg(&name).arg("new").arg("IFEQ").arg(old).clone();
    if env::var("KVT_IFEQ").as_deref() != Ok("yes") {
        return refused("syntax error", swap("old").query::<Option<String>>(c));
    }
    equal(swap("other").query::<Option<String>>(c)?, None)?;
    equal(swap("old").query(c)?, Some("OK".to_owned()))?;
    equal(c.get(&name)?, Some("new".to_owned()))
}

fn mistakes<C: ConnectionLike>(c: &mut C, keys: &Keys) -> RedisResult<()> {
    let name = keys.at("a");
    refused("unknown command", cmd("NOSUCHCOMMAND").arg(&name).query::<String>(c))?;
    refused("wrong number of arguments", cmd("GET").arg(&name).arg("b").query::<String>(c))?;
    refused("syntax error", cmd("SET").arg(&name).arg("b").arg("EX").query::<String>(c))
}

fn everything<C: ConnectionLike>(c: &mut C, own: &mut Connection, keys: &Keys) -> RedisResult<()> {
    values(c, keys)?;
    numbers(c, keys)?;
    lifetimes(c, keys)?;
    many(c, own, keys)?;
    transactions(c, own, keys)?;
    compare_and_set(c, keys)?;
    mistakes(c, keys)?;
    c.set(keys.at("kept"), "kept")
}

/// Keys of several slots: at once for plain clients, refused to those that should know better.
fn across_slots(plain: &mut Connection, node: &mut Connection) -> RedisResult<()> {
    plain.mset::<_, _, ()>(&[("slot:a", 1), ("slot:b", 2)])?;
    equal(cmd("MGET").arg(&["slot:a", "slot:b"]).query::<Vec<i64>>(plain)?, vec![1, 2])?;
    let answer = cmd("MGET").arg(&["slot:a", "slot:b"]).query::<Vec<i64>>(node);
    equal(answer.unwrap_err().code(), Some("CROSSSLOT"))
}

/// A connection that finds back by itself, or a new one of the same client.
fn after_restart<C: ConnectionLike>(
    c: &mut C,
    renew: impl Fn(&mut C) -> RedisResult<()>,
    keys: &Keys,
) -> RedisResult<()> {
    let kept = env::var("KVT_KEPT").as_deref() == Ok("yes");
    let start = Instant::now();
    loop {
        match c.get::<_, Option<String>>(keys.at("kept")) {
            Ok(found) => return equal(found.as_deref(), kept.then_some("kept")),
            Err(error) if start.elapsed() > BACK_WITHIN || error.kind() == ErrorKind::Parse => return Err(error),
            Err(_) => {
                thread::sleep(Duration::from_millis(100));
                // Nobody listens yet; it is tried again.
                let _ = renew(c);
            }
        }
    }
}

struct Pair {
    protocol: u8,
    plain: Client,
    node: Client,
    plain_connection: Connection,
    cluster_connection: ClusterConnection,
}

impl Pair {
    fn connect(protocol: u8) -> RedisResult<Self> {
        let version = if protocol == 2 { ProtocolVersion::RESP2 } else { ProtocolVersion::RESP3 };
        let (plain, node) = (Client::open(info("KVT_PLAIN", version)?)?, Client::open(info("KVT_CLUSTER", version)?)?);
        let cluster = ClusterClientBuilder::new([info("KVT_CLUSTER", version)?]).use_protocol(version).build()?;
        let (plain_connection, cluster_connection) = (plain.get_connection()?, cluster.get_connection()?);
        Ok(Self { protocol, plain, node, plain_connection, cluster_connection })
    }

    fn keys(&self) -> [Keys; 2] {
        [Keys(format!("rs{}:", self.protocol)), Keys(format!("{{rs{}c}}:", self.protocol))]
    }

    fn before(&mut self) -> RedisResult<()> {
        let [plain, cluster] = self.keys();
        everything(&mut self.plain_connection, &mut self.plain.get_connection()?, &plain)?;
        pipelines(&mut self.plain_connection, &plain)?;
        everything(&mut self.cluster_connection, &mut self.node.get_connection()?, &cluster)?;
        cluster_pipelines(&mut self.cluster_connection, &cluster)?;
        across_slots(&mut self.plain_connection, &mut self.node.get_connection()?)
    }

    fn after(&mut self) -> RedisResult<()> {
        let [plain, cluster] = self.keys();
        let client = self.plain.clone();
        let renew = |connection: &mut Connection| client.get_connection().map(|new| *connection = new);
        after_restart(&mut self.plain_connection, renew, &plain)?;
        values(&mut self.plain_connection, &plain)?;
        transactions(&mut self.plain_connection, &mut self.plain.get_connection()?, &plain)?;
        after_restart(&mut self.cluster_connection, |_| Ok(()), &cluster)?;
        values(&mut self.cluster_connection, &cluster)?;
        transactions(&mut self.cluster_connection, &mut self.node.get_connection()?, &cluster)
    }
}

fn main() -> RedisResult<()> {
    let mut pairs = [Pair::connect(2)?, Pair::connect(3)?];
    pairs.iter_mut().try_for_each(Pair::before)?;
    println!("restart");
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    equal(line.as_str(), "restarted\n")?;
    pairs.iter_mut().try_for_each(Pair::after)?;
    println!("shown: redis-rs {VERSION}, plain, RESP2, cluster, RESP2, plain, RESP3, cluster, RESP3");
    Ok(())
}
