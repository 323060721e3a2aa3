// What a Node.js program does with ioredis, on both ports and in both versions of the protocol.
"use strict";

const assert = require("node:assert/strict");
const readline = require("node:readline");
const Redis = require("ioredis");
const { version } = require("ioredis/package.json");

// A restart takes a moment; a client that has not found back by then will not.
const BACK_WITHIN_MS = 30_000;

const kept = process.env.KVT_KEPT === "yes";
const hasIfeq = process.env.KVT_IFEQ === "yes";

function address(name) {
  const [host, port] = process.env[name].split(":");
  return { host, port: Number(port) };
}

function subjects() {
  const password = process.env.KVT_SECRET;
  return [2, 3].flatMap((protocol) => [
    {
      name: `plain, RESP${protocol}`,
      client: new Redis({ ...address("KVT_PLAIN"), password, protocol, retryStrategy: () => 100 }),
      key: (name) => `io${protocol}:${name}`,
    },
    {
      name: `cluster, RESP${protocol}`,
      client: new Redis.Cluster([address("KVT_CLUSTER")], {
        redisOptions: { password, protocol },
        clusterRetryStrategy: () => 100,
      }),
      key: (name) => `{io${protocol}c}:${name}`,
    },
  ]);
}

function nodes(client) {
  return client instanceof Redis.Cluster ? client.nodes("master") : [client];
}

async function values({ client, key }) {
  assert.equal(await client.ping(), "PONG");
  assert.equal(await client.set(key("text"), "value"), "OK");
  assert.equal(await client.get(key("text")), "value");
  assert.equal(await client.get(key("nothing")), null);
  const binary = Buffer.from([0, 13, 10, 255]).toString("latin1").repeat(10_000);
  const bytes = Buffer.from(binary, "latin1");
  assert.equal(await client.set(key("binary"), bytes), "OK");
  assert.deepEqual(await client.getBuffer(key("binary")), bytes);
  assert.equal(await client.append(key("text"), " and more"), 14);
  assert.equal(await client.getrange(key("text"), 6, 8), "and");
  assert.equal(await client.set(key("text"), "other", "NX"), null);
  assert.equal(await client.getset(key("text"), "other"), "value and more");
  assert.equal(await client.getdel(key("text")), "other");
  assert.equal(await client.exists(key("text")), 0);
}

async function numbers({ client, key }) {
  assert.equal(await client.incr(key("n")), 1);
  assert.equal(await client.incrby(key("n"), 41), 42);
  assert.equal(Number(await client.incrbyfloat(key("n"), 0.5)), 42.5);
  await assert.rejects(client.incr(key("n")), /not an integer/);
}

async function lifetimes({ client, key }) {
  assert.equal(await client.set(key("brief"), "x", "EX", 100), "OK");
  const left = await client.ttl(key("brief"));
  assert.ok(left > 90 && left <= 100, `TTL is ${left}`);
  assert.equal(await client.persist(key("brief")), 1);
  assert.equal(await client.ttl(key("brief")), -1);
  assert.equal(await client.pexpire(key("brief"), -1), 1);
  assert.equal(await client.get(key("brief")), null);
}

async function many({ client, key }) {
  const keys = Array.from({ length: 50 }, (_, number) => key(`many:${String(number).padStart(2, "0")}`));
  assert.equal(await client.mset(...keys.flatMap((name, number) => [name, number])), "OK");
  assert.equal((await client.mget(...keys, key("nothing")))[49], "49");
  const found = new Set();
  for (const node of nodes(client)) {
    for await (const page of node.scanStream({ match: key("many:*"), count: 7 })) {
      page.forEach((name) => found.add(name));
    }
  }
  assert.deepEqual([...found].sort(), keys);
  assert.equal(await client.del(...keys), 50);
}

async function pipelines({ client, key }) {
  const pipeline = client.pipeline();
  for (let number = 0; number < 100; number++) {
    pipeline.set(key(`p:${number}`), number).get(key(`p:${number}`));
  }
  const answers = await pipeline.exec();
  answers.forEach(([error, answer], at) => {
    assert.equal(error, null);
    assert.equal(answer, at % 2 ? String((at - 1) / 2) : "OK");
  });
}

// WATCH belongs to a connection, so it takes one of its own.
async function transactions({ client, key }) {
  const own = nodes(client)[0].duplicate();
  try {
    await client.set(key("balance"), 10);
    await own.watch(key("balance"));
    const done = await own.multi().incrby(key("balance"), 5).get(key("balance")).exec();
    assert.deepEqual(done, [[null, 15], [null, "15"]]);
    await own.watch(key("balance"));
    await client.set(key("balance"), 100);
    assert.equal(await own.multi().set(key("balance"), 0).exec(), null);
    assert.equal(await client.get(key("balance")), "100");
  } finally {
    own.disconnect();
  }
}

async function compareAndSet({ client, key }) {
  await client.set(key("cas"), "old");
  const swap = (old) => client.set(key("cas"), "new", "IFEQ", old);
  if (!hasIfeq) {
    await assert.rejects(swap("old"), /syntax error/);
    return;
  }
  assert.equal(await swap("other"), null);
  assert.equal(await swap("old"), "OK");
  assert.equal(await client.get(key("cas")), "new");
}

async function mistakes({ client, key }) {
  await assert.rejects(client.call("NOSUCHCOMMAND", key("a")), /unknown command/);
  await assert.rejects(client.call("GET", key("a"), "b"), /wrong number of arguments/);
  await assert.rejects(client.call("SET", key("a"), "b", "EX"), /syntax error/);
}

// Keys of several slots: at once for plain clients, refused to those that should know better.
async function acrossSlots(plain, cluster) {
  assert.equal(await plain.client.mset("slot:a", 1, "slot:b", 2), "OK");
  assert.deepEqual(await plain.client.mget("slot:a", "slot:b"), ["1", "2"]);
  await assert.rejects(nodes(cluster.client)[0].mget("slot:a", "slot:b"), /CROSSSLOT/);
}

async function afterRestart({ client, key }, deadline) {
  for (;;) {
    try {
      assert.equal(await client.get(key("kept")), kept ? "kept" : null);
      return;
    } catch (error) {
      if (error instanceof assert.AssertionError || Date.now() > deadline) throw error;
      await new Promise((again) => setTimeout(again, 100));
    }
  }
}

async function doing(subject, ...parts) {
  for (const part of parts) {
    try {
      await part(subject);
    } catch (error) {
      throw new Error(`${subject.name}: ${part.name}: ${error.message}`, { cause: error });
    }
  }
}

async function main() {
  const all = subjects();
  const lost = [];
  // Without a listener every lost connection is printed.
  all.forEach(({ client }) => client.on("error", (error) => lost.push(error)));
  for (const subject of all) {
    await doing(subject, values, numbers, lifetimes, many, pipelines, transactions, compareAndSet, mistakes);
  }
  await acrossSlots(all[0], all[1]);
  for (const { client, key } of all) await client.set(key("kept"), "kept");

  console.log("restart");
  const lines = readline.createInterface({ input: process.stdin });
  const [line] = await require("node:events").once(lines, "line");
  lines.close();
  assert.equal(line, "restarted");
  const deadline = Date.now() + BACK_WITHIN_MS;
  for (const subject of all) {
    await doing(subject, (subject) => afterRestart(subject, deadline), values, transactions);
  }
  console.log(`shown: ioredis ${version}, ${all.map(({ name }) => name).join(", ")}`);
  all.forEach(({ client }) => client.disconnect());
}

main().then(
  () => process.exit(0),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
