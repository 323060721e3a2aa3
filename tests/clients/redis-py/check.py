"""What a Python program does with redis-py, on both ports and in both versions of the protocol."""

import os
import sys
import time

import redis
from redis.backoff import ConstantBackoff
from redis.cluster import RedisCluster
from redis.retry import Retry

# A restart takes a moment; a client that has not found back by then will not.
BACK_WITHIN_SECONDS = 30

KEPT = os.environ["KVT_KEPT"] == "yes"
HAS_IFEQ = os.environ["KVT_IFEQ"] == "yes"
CREDENTIALS = {"password": os.environ["KVT_SECRET"]} if "KVT_SECRET" in os.environ else {}


def address(name):
    host, port = os.environ[name].rsplit(":", 1)
    return {"host": host, "port": int(port)}


def equal(found, wanted):
    if found != wanted:
        raise AssertionError(f"{wanted!r} was expected, {found!r} came")


def refused(words, call):
    try:
        answer = call()
    except redis.exceptions.RedisError as error:
        if words not in str(error):
            raise AssertionError(f"an error with {words!r} was expected, {error} came") from error
        return
    raise AssertionError(f"an error with {words!r} was expected, {answer!r} came")


def values(client, at):
    equal(client.ping(), True)
    equal(client.set(at("text"), "value"), True)
    equal(client.get(at("text")), b"value")
    equal(client.get(at("nothing")), None)
    binary = bytes(range(256)) * 100
    equal(client.set(at("binary"), binary), True)
    equal(client.get(at("binary")), binary)
    equal(client.append(at("text"), " and more"), 14)
    equal(client.strlen(at("text")), 14)
    equal(client.getrange(at("text"), 6, 8), b"and")
    equal(client.setrange(at("text"), 0, "VALUE"), 14)
    equal(client.set(at("text"), "other", nx=True), None)
    equal(client.set(at("text"), "other", xx=True, get=True), b"VALUE and more")
    equal(client.getdel(at("text")), b"other")
    equal(client.exists(at("text")), 0)
    equal(client.type(at("binary")), b"string")


def numbers(client, at):
    equal(client.incr(at("n")), 1)
    equal(client.incrby(at("n"), 41), 42)
    equal(client.decr(at("n")), 41)
    equal(float(client.incrbyfloat(at("n"), 0.5)), 41.5)
    refused("not an integer", lambda: client.incr(at("n")))


def lifetimes(client, at):
    equal(client.set(at("brief"), "x", ex=100), True)
    if not 90 < client.ttl(at("brief")) <= 100:
        raise AssertionError("TTL is not what was set")
    equal(client.persist(at("brief")), True)
    equal(client.ttl(at("brief")), -1)
    equal(client.pexpire(at("brief"), 100_000), True)
    if not 90_000 < client.pttl(at("brief")) <= 100_000:
        raise AssertionError("PTTL is not what was set")
    equal(client.expiretime(at("nothing")), -2)
    equal(client.expire(at("brief"), -1), True)
    equal(client.get(at("brief")), None)


def many(client, at):
    pairs = {at(f"many:{number}"): str(number).encode() for number in range(50)}
    equal(client.mset(pairs), True)
    equal(client.mget([*pairs, at("nothing")]), [*pairs.values(), None])
    equal(set(client.scan_iter(match=at("many:*"), count=7)), {key.encode() for key in pairs})
    equal(client.delete(*pairs), 50)


def pipelines(client, at):
    with client.pipeline(transaction=False) as pipeline:
        for number in range(100):
            pipeline.set(at(f"p:{number}"), number)
        for number in range(100):
            pipeline.get(at(f"p:{number}"))
        answers = pipeline.execute()
    equal(answers, [True] * 100 + [str(number).encode() for number in range(100)])


def transactions(client, at):
    client.set(at("balance"), 10)
    with client.pipeline(transaction=True) as pipeline:
        pipeline.watch(at("balance"))
        balance = int(pipeline.get(at("balance")))
        pipeline.multi()
        pipeline.set(at("balance"), balance + 5)
        pipeline.get(at("balance"))
        done, balance = pipeline.execute()
        equal((done in (True, b"OK"), balance), (True, b"15"))
    with client.pipeline(transaction=True) as pipeline:
        pipeline.watch(at("balance"))
        client.set(at("balance"), "somebody was quicker")
        pipeline.multi()
        pipeline.set(at("balance"), "too late")
        try:
            pipeline.execute()
            raise AssertionError("a transaction went through although a watched key had changed")
        except redis.exceptions.WatchError:
            pass
    equal(client.get(at("balance")), b"somebody was quicker")


def compare_and_set(client, at):
    client.set(at("cas"), "old")
    swap = lambda old, new: client.execute_command("SET", at("cas"), new, "IFEQ", old)
    if not HAS_IFEQ:
        return refused("syntax error", lambda: swap("old", "new"))
    if swap("other", "new") is not None or not swap("old", "new"):
        raise AssertionError("SET IFEQ did not compare")
    equal(client.get(at("cas")), b"new")


def errors(client, at):
    # The cluster's client knows from COMMAND what there is, and does not even send it.
    unknown = "doesn't exist" if isinstance(client, RedisCluster) else "unknown command"
    refused(unknown, lambda: client.execute_command("NOSUCHCOMMAND", at("a")))
    refused("wrong number of arguments", lambda: client.execute_command("GET", at("a"), "b"))
    refused("syntax error", lambda: client.execute_command("SET", at("a"), "b", "EX"))


EVERYTHING = [values, numbers, lifetimes, many, pipelines, transactions, compare_and_set, errors]


def clients():
    """Retries bridge a restart; without them each call that meets a closed connection would tell its caller."""
    for protocol in (2, 3):
        retry = Retry(ConstantBackoff(0.1), 3)
        plain = redis.Redis(**address("KVT_PLAIN"), **CREDENTIALS, protocol=protocol, retry=retry)
        yield f"plain, RESP{protocol}", plain, lambda key, protocol=protocol: f"py{protocol}:{key}"
        cluster = RedisCluster(**address("KVT_CLUSTER"), **CREDENTIALS, protocol=protocol)
        yield f"cluster, RESP{protocol}", cluster, lambda key, protocol=protocol: f"{{py{protocol}c}}:{key}"


def across_slots(plain, cluster):
    """Keys of several slots: at once for plain clients, refused to those that should know better."""
    equal(plain.mset({"slot:a": 1, "slot:b": 2, "slot:c": 3}), True)
    equal(plain.mget("slot:a", "slot:b", "slot:c"), [b"1", b"2", b"3"])
    node = cluster.get_default_node()
    refused("same slot", lambda: node.redis_connection.execute_command("MGET", "slot:a", "slot:b"))
    equal(cluster.mset_nonatomic({"slot:d": 4, "slot:e": 5, "slot:f": 6}), [True] * 3)
    equal(cluster.mget_nonatomic("slot:d", "slot:e", "nothing"), [b"4", b"5", None])


def main():
    everybody = list(clients())
    for name, client, at in everybody:
        for part in EVERYTHING:
            try:
                part(client, at)
            except Exception as error:
                raise AssertionError(f"{name}: {part.__name__}: {error!r}") from error
    across_slots(everybody[0][1], everybody[1][1])
    for _, client, at in everybody:
        equal(client.set(at("kept"), "kept"), True)

    print("restart", flush=True)
    equal(sys.stdin.readline(), "restarted\n")
    deadline = time.monotonic() + BACK_WITHIN_SECONDS
    for name, client, at in everybody:
        while True:
            try:
                equal(client.get(at("kept")), b"kept" if KEPT else None)
                break
            except redis.exceptions.RedisError as error:
                if time.monotonic() > deadline:
                    raise AssertionError(f"{name}: does not find back: {error!r}") from error
                time.sleep(0.1)
        values(client, at)
        transactions(client, at)
    print(f"shown: redis-py {redis.__version__}, {', '.join(name for name, _, _ in everybody)}")


main()
