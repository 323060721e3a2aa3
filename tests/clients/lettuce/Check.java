// What a Java program does with lettuce, on both ports and in both versions of the protocol.

import io.lettuce.core.ClientOptions;
import io.lettuce.core.KeyScanCursor;
import io.lettuce.core.KeyValue;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisCommandExecutionException;
import io.lettuce.core.RedisException;
import io.lettuce.core.RedisFuture;
import io.lettuce.core.RedisURI;
import io.lettuce.core.ScanArgs;
import io.lettuce.core.SetArgs;
import io.lettuce.core.TransactionResult;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.sync.RedisCommands;
import io.lettuce.core.cluster.ClusterClientOptions;
import io.lettuce.core.cluster.RedisClusterClient;
import io.lettuce.core.cluster.api.StatefulRedisClusterConnection;
import io.lettuce.core.cluster.api.async.RedisClusterAsyncCommands;
import io.lettuce.core.cluster.api.sync.RedisClusterCommands;
import io.lettuce.core.codec.StringCodec;
import io.lettuce.core.output.StatusOutput;
import io.lettuce.core.protocol.CommandArgs;
import io.lettuce.core.protocol.ProtocolKeyword;
import io.lettuce.core.protocol.ProtocolVersion;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;

final class Check {
    // A restart takes a moment; a client that has not found back by then will not.
    private static final Duration BACK_WITHIN = Duration.ofSeconds(30);
    private static final Duration ANSWER_WITHIN = Duration.ofSeconds(10);

    private static final boolean KEPT = "yes".equals(System.getenv("KVT_KEPT"));
    private static final boolean HAS_IFEQ = "yes".equals(System.getenv("KVT_IFEQ"));

    // A client's two faces, the connection that transactions are made on, and the keys it may use.
    private record Subject(
            String name,
            RedisClusterCommands<String, String> does,
            RedisClusterAsyncCommands<String, String> sends,
            StatefulRedisConnection<String, String> own,
            String prefix) {
        String key(String name) {
            return prefix + name;
        }
    }

    private interface Part {
        void of(Subject subject) throws Exception;
    }

    private interface Call {
        Object made();
    }

    private static RedisURI address(String variable) {
        RedisURI.Builder uri = RedisURI.Builder.redis(
                System.getenv(variable).split(":")[0], Integer.parseInt(System.getenv(variable).split(":")[1]));
        String secret = System.getenv("KVT_SECRET");
        return (secret == null ? uri : uri.withPassword(secret.toCharArray())).withTimeout(ANSWER_WITHIN).build();
    }

    private static List<Subject> subjects() {
        List<Subject> all = new ArrayList<>();
        for (ProtocolVersion protocol : List.of(ProtocolVersion.RESP2, ProtocolVersion.RESP3)) {
            RedisClient plain = RedisClient.create(address("KVT_PLAIN"));
            plain.setOptions(ClientOptions.builder().protocolVersion(protocol).build());
            StatefulRedisConnection<String, String> one = plain.connect();
            all.add(new Subject("plain, " + protocol, one.sync(), one.async(), plain.connect(), "le" + protocol + ":"));

            RedisClusterClient cluster = RedisClusterClient.create(address("KVT_CLUSTER"));
            cluster.setOptions(ClusterClientOptions.builder().protocolVersion(protocol).build());
            StatefulRedisClusterConnection<String, String> whole = cluster.connect();
            String node = cluster.getPartitions().getPartition(0).getNodeId();
            all.add(new Subject("cluster, " + protocol, whole.sync(), whole.async(), whole.getConnection(node),
                    "{le" + protocol + "c}:"));
        }
        return all;
    }

    private static void equal(Object found, Object wanted) {
        if (!Objects.equals(found, wanted)) {
            throw new AssertionError(wanted + " was expected, " + found + " came");
        }
    }

    private static void refused(String words, Call call) {
        try {
            throw new AssertionError("an error with '" + words + "' was expected, " + call.made() + " came");
        } catch (RedisCommandExecutionException error) {
            equal(error.getMessage().contains(words) ? words : error.getMessage(), words);
        }
    }

    // A command that lettuce has no method for.
    private static String raw(Subject s, String command, String... words) {
        ProtocolKeyword name = new ProtocolKeyword() {
            @Override
            public byte[] getBytes() {
                return command.getBytes(StandardCharsets.US_ASCII);
            }

            @Override
            public String toString() {
                return command;
            }
        };
        CommandArgs<String, String> arguments = new CommandArgs<>(StringCodec.UTF8).addKey(s.key(words[0]));
        for (int word = 1; word < words.length; word++) {
            arguments.add(words[word]);
        }
        return s.does.dispatch(name, new StatusOutput<>(StringCodec.UTF8), arguments);
    }

    private static void values(Subject s) {
        equal(s.does.ping(), "PONG");
        equal(s.does.set(s.key("text"), "value"), "OK");
        equal(s.does.get(s.key("text")), "value");
        equal(s.does.get(s.key("nothing")), null);
        String large = "lines\r\nand ß ".repeat(5_000);
        equal(s.does.set(s.key("large"), large), "OK");
        equal(s.does.get(s.key("large")), large);
        equal(s.does.append(s.key("text"), " and more"), 14L);
        equal(s.does.getrange(s.key("text"), 6, 8), "and");
        equal(s.does.set(s.key("text"), "other", SetArgs.Builder.nx()), null);
        equal(s.does.getset(s.key("text"), "other"), "value and more");
        equal(s.does.getdel(s.key("text")), "other");
        equal(s.does.exists(s.key("text")), 0L);
    }

    private static void numbers(Subject s) {
        equal(s.does.incr(s.key("n")), 1L);
        equal(s.does.incrby(s.key("n"), 41), 42L);
        equal(s.does.incrbyfloat(s.key("n"), 0.5), 42.5);
        refused("not an integer", () -> s.does.incr(s.key("n")));
    }

    private static void lifetimes(Subject s) {
        equal(s.does.set(s.key("brief"), "x", SetArgs.Builder.ex(100)), "OK");
        long left = s.does.ttl(s.key("brief"));
        equal(left > 90 && left <= 100, true);
        equal(s.does.persist(s.key("brief")), true);
        equal(s.does.ttl(s.key("brief")), -1L);
        equal(s.does.pexpire(s.key("brief"), -1), true);
        equal(s.does.get(s.key("brief")), null);
    }

    private static void many(Subject s) {
        Map<String, String> pairs = new LinkedHashMap<>();
        for (int number = 0; number < 50; number++) {
            pairs.put(s.key("many:" + number), String.valueOf(number));
        }
        String[] keys = pairs.keySet().toArray(String[]::new);
        equal(s.does.mset(pairs), "OK");
        equal(s.does.mget(keys).stream().map(KeyValue::getValue).toList(), List.copyOf(pairs.values()));
        TreeSet<String> found = new TreeSet<>();
        ScanArgs some = ScanArgs.Builder.limit(7).match(s.key("many:*"));
        KeyScanCursor<String> page = s.does.scan(some);
        found.addAll(page.getKeys());
        while (!page.isFinished()) {
            page = s.does.scan(page, some);
            found.addAll(page.getKeys());
        }
        equal(found, new TreeSet<>(pairs.keySet()));
        equal(s.does.del(keys), 50L);
    }

    // Sent without waiting, answered in order.
    private static void pipelines(Subject s) throws Exception {
        List<RedisFuture<String>> answers = new ArrayList<>();
        for (int number = 0; number < 100; number++) {
            s.sends.set(s.key("p:" + number), String.valueOf(number));
            answers.add(s.sends.get(s.key("p:" + number)));
        }
        for (int number = 0; number < 100; number++) {
            equal(answers.get(number).get(ANSWER_WITHIN.toSeconds(), TimeUnit.SECONDS), String.valueOf(number));
        }
    }

    private static void transactions(Subject s) {
        RedisCommands<String, String> own = s.own.sync();
        s.does.set(s.key("balance"), "10");
        own.watch(s.key("balance"));
        own.multi();
        own.incrby(s.key("balance"), 5);
        own.get(s.key("balance"));
        TransactionResult done = own.exec();
        equal(List.of(done.get(0), done.get(1)), List.of(15L, "15"));
        own.watch(s.key("balance"));
        s.does.set(s.key("balance"), "100");
        own.multi();
        own.set(s.key("balance"), "0");
        equal(own.exec().wasDiscarded(), true);
        equal(s.does.get(s.key("balance")), "100");
    }

    private static void compareAndSet(Subject s) {
        s.does.set(s.key("cas"), "old");
        if (!HAS_IFEQ) {
            refused("syntax error", () -> raw(s, "SET", "cas", "new", "IFEQ", "old"));
            return;
        }
        equal(raw(s, "SET", "cas", "new", "IFEQ", "other"), null);
        equal(raw(s, "SET", "cas", "new", "IFEQ", "old"), "OK");
        equal(s.does.get(s.key("cas")), "new");
    }

    private static void mistakes(Subject s) {
        refused("unknown command", () -> raw(s, "NOSUCHCOMMAND", "a"));
        refused("wrong number of arguments", () -> raw(s, "GET", "a", "b"));
        refused("syntax error", () -> raw(s, "SET", "a", "b", "EX"));
    }

    // Keys of several slots: at once for plain clients, refused to those that should know better.
    private static void acrossSlots(Subject plain, Subject cluster) {
        equal(plain.does.mset(Map.of("slot:a", "1", "slot:b", "2")), "OK");
        equal(plain.does.mget("slot:a", "slot:b").get(1).getValue(), "2");
        refused("CROSSSLOT", () -> cluster.own.sync().mget("slot:a", "slot:b"));
    }

    private static void afterRestart(Subject s, long deadline) throws InterruptedException {
        while (true) {
            try {
                equal(s.does.get(s.key("kept")), KEPT ? "kept" : null);
                return;
            } catch (RedisException error) {
                if (System.nanoTime() > deadline) {
                    throw error;
                }
                Thread.sleep(100);
            }
        }
    }

    private static void doing(Subject subject, Part... parts) {
        for (Part part : parts) {
            try {
                part.of(subject);
            } catch (Exception | AssertionError reason) {
                throw new AssertionError(subject.name + ": " + reason.getMessage(), reason);
            }
        }
    }

    public static void main(String[] none) throws Exception {
        List<Subject> all = subjects();
        for (Subject subject : all) {
            doing(subject, Check::values, Check::numbers, Check::lifetimes, Check::many, Check::pipelines,
                    Check::transactions, Check::compareAndSet, Check::mistakes);
        }
        acrossSlots(all.get(0), all.get(1));
        all.forEach(subject -> subject.does.set(subject.key("kept"), "kept"));

        System.out.println("restart");
        equal(new BufferedReader(new InputStreamReader(System.in)).readLine(), "restarted");
        long deadline = System.nanoTime() + BACK_WITHIN.toNanos();
        for (Subject subject : all) {
            doing(subject, one -> afterRestart(one, deadline), Check::values, Check::transactions);
        }
        List<String> names = all.stream().map(Subject::name).toList();
        String lettuce = RedisClient.class.getPackage().getImplementationVersion();
        System.out.println("shown: lettuce " + lettuce + ", " + String.join(", ", names));
        // Threads of the clients are still there, and need not end in any order.
        System.exit(0);
    }
}
