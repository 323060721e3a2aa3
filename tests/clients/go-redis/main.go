// What a Go program does with go-redis, on both ports and in both versions of the protocol.
package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// A restart takes a moment; a client that has not found back by then will not.
const backWithin = 30 * time.Second

var (
	ctx     = context.Background()
	kept    = os.Getenv("KVT_KEPT") == "yes"
	hasIFEQ = os.Getenv("KVT_IFEQ") == "yes"
)

// A subject is a client and the keys that it may use.
type subject struct {
	name   string
	client redis.UniversalClient
	prefix string
}

func (s subject) key(name string) string { return s.prefix + name }

func subjects() []subject {
	plain, cluster, secret := os.Getenv("KVT_PLAIN"), os.Getenv("KVT_CLUSTER"), os.Getenv("KVT_SECRET")
	var all []subject
	for protocol := 2; protocol <= 3; protocol++ {
		all = append(all, subject{
			name:   fmt.Sprintf("plain, RESP%d", protocol),
			client: redis.NewClient(&redis.Options{Addr: plain, Password: secret, Protocol: protocol}),
			prefix: fmt.Sprintf("go%d:", protocol),
		}, subject{
			name: fmt.Sprintf("cluster, RESP%d", protocol),
			client: redis.NewClusterClient(&redis.ClusterOptions{
				Addrs: []string{cluster}, Password: secret, Protocol: protocol,
			}),
			prefix: fmt.Sprintf("{go%dc}:", protocol),
		})
	}
	return all
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func none(err error) {
	if !errors.Is(err, redis.Nil) {
		panic(fmt.Sprintf("nothing was expected, %v came", err))
	}
}

func equal[T comparable](found, wanted T) {
	if found != wanted {
		panic(fmt.Sprintf("%v was expected, %v came", wanted, found))
	}
}

func refused(words string, err error) {
	if err == nil || !strings.Contains(err.Error(), words) {
		panic(fmt.Sprintf("an error with %q was expected, %v came", words, err))
	}
}

func values(s subject) {
	c := s.client
	equal(must(c.Ping(ctx).Result()), "PONG")
	equal(must(c.Set(ctx, s.key("text"), "value", 0).Result()), "OK")
	equal(must(c.Get(ctx, s.key("text")).Result()), "value")
	none(c.Get(ctx, s.key("nothing")).Err())
	binary := bytes.Repeat([]byte{0, '\r', '\n', 0xff}, 10_000)
	must(c.Set(ctx, s.key("binary"), binary, 0).Result())
	equal(bytes.Equal(must(c.Get(ctx, s.key("binary")).Bytes()), binary), true)
	equal(must(c.Append(ctx, s.key("text"), " and more").Result()), 14)
	equal(must(c.GetRange(ctx, s.key("text"), 6, 8).Result()), "and")
	none(c.SetArgs(ctx, s.key("text"), "other", redis.SetArgs{Mode: "NX"}).Err())
	equal(must(c.GetSet(ctx, s.key("text"), "other").Result()), "value and more")
	equal(must(c.GetDel(ctx, s.key("text")).Result()), "other")
	equal(must(c.Exists(ctx, s.key("text")).Result()), 0)
}

func numbers(s subject) {
	c := s.client
	equal(must(c.Incr(ctx, s.key("n")).Result()), 1)
	equal(must(c.IncrBy(ctx, s.key("n"), 41).Result()), 42)
	equal(must(c.IncrByFloat(ctx, s.key("n"), 0.5).Result()), 42.5)
	refused("not an integer", c.Incr(ctx, s.key("n")).Err())
}

func lifetimes(s subject) {
	c := s.client
	must(c.Set(ctx, s.key("brief"), "x", 100*time.Second).Result())
	left := must(c.TTL(ctx, s.key("brief")).Result())
	equal(left > 90*time.Second && left <= 100*time.Second, true)
	equal(must(c.Persist(ctx, s.key("brief")).Result()), true)
	equal(must(c.TTL(ctx, s.key("brief")).Result()), -1)
	equal(must(c.PExpire(ctx, s.key("brief"), -time.Millisecond).Result()), true)
	none(c.Get(ctx, s.key("brief")).Err())
}

func many(s subject) {
	c := s.client
	var pairs, keys []string
	for number := range 50 {
		keys = append(keys, s.key(fmt.Sprintf("many:%02d", number)))
		pairs = append(pairs, keys[number], fmt.Sprint(number))
	}
	must(c.MSet(ctx, pairs).Result())
	equal(must(c.MGet(ctx, append(slices.Clone(keys), s.key("nothing"))...).Result())[49], any("49"))
	var found []string
	scan := func(ctx context.Context, node *redis.Client) error {
		pages := node.Scan(ctx, 0, s.key("many:*"), 7).Iterator()
		for pages.Next(ctx) {
			found = append(found, pages.Val())
		}
		return pages.Err()
	}
	if cluster, ok := c.(*redis.ClusterClient); ok {
		var one sync.Mutex
		must(0, cluster.ForEachMaster(ctx, func(ctx context.Context, node *redis.Client) error {
			one.Lock()
			defer one.Unlock()
			return scan(ctx, node)
		}))
	} else {
		must(0, scan(ctx, c.(*redis.Client)))
	}
	slices.Sort(found)
	equal(slices.Equal(slices.Compact(found), keys), true)
	equal(must(c.Del(ctx, keys...).Result()), 50)
}

func pipelines(s subject) {
	answers := must(s.client.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		for number := range 100 {
			pipe.Set(ctx, s.key(fmt.Sprint("p:", number)), number, 0)
			pipe.Get(ctx, s.key(fmt.Sprint("p:", number)))
		}
		return nil
	}))
	for number := range 100 {
		equal(must(answers[2*number+1].(*redis.StringCmd).Int()), number)
	}
}

func transactions(s subject) {
	c, key := s.client, s.key("balance")
	must(c.Set(ctx, key, 10, 0).Result())
	add := func(quicker bool) error {
		return c.Watch(ctx, func(tx *redis.Tx) error {
			balance := must(tx.Get(ctx, key).Int())
			if quicker {
				must(c.Set(ctx, key, 100, 0).Result())
			}
			_, err := tx.TxPipelined(ctx, func(pipe redis.Pipeliner) error {
				pipe.Set(ctx, key, balance+5, 0)
				return nil
			})
			return err
		}, key)
	}
	must(0, add(false))
	equal(must(c.Get(ctx, key).Int()), 15)
	equal(errors.Is(add(true), redis.TxFailedErr), true)
	equal(must(c.Get(ctx, key).Int()), 100)
}

func compareAndSet(s subject) {
	must(s.client.Set(ctx, s.key("cas"), "old", 0).Result())
	swap := func(old string) error { return s.client.Do(ctx, "SET", s.key("cas"), "new", "IFEQ", old).Err() }
	if !hasIFEQ {
		refused("syntax error", swap("old"))
		return
	}
	none(swap("other"))
	must(0, swap("old"))
	equal(must(s.client.Get(ctx, s.key("cas")).Result()), "new")
}

func mistakes(s subject) {
	refused("unknown command", s.client.Do(ctx, "NOSUCHCOMMAND", s.key("a")).Err())
	refused("wrong number of arguments", s.client.Do(ctx, "GET", s.key("a"), "b").Err())
	refused("syntax error", s.client.Do(ctx, "SET", s.key("a"), "b", "EX").Err())
}

// Keys of several slots: at once for plain clients, refused to those that should know better.
func acrossSlots(plain, cluster subject) {
	must(plain.client.MSet(ctx, "slot:a", 1, "slot:b", 2).Result())
	equal(must(plain.client.MGet(ctx, "slot:a", "slot:b").Result())[1], any("2"))
	node := must(cluster.client.(*redis.ClusterClient).MasterForKey(ctx, "slot:a"))
	refused("CROSSSLOT", node.Do(ctx, "MGET", "slot:a", "slot:b").Err())
}

func afterRestart(s subject, deadline time.Time) {
	for {
		found, err := s.client.Get(ctx, s.key("kept")).Result()
		if kept && err == nil {
			equal(found, "kept")
			return
		}
		if !kept && errors.Is(err, redis.Nil) {
			return
		}
		if err == nil || time.Now().After(deadline) {
			panic(fmt.Sprintf("after the restart: %q, %v", found, err))
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func main() {
	all := subjects()
	for _, s := range all {
		do(s, values, numbers, lifetimes, many, pipelines, transactions, compareAndSet, mistakes)
	}
	acrossSlots(all[0], all[1])
	for _, s := range all {
		must(s.client.Set(ctx, s.key("kept"), "kept", 0).Result())
	}

	fmt.Println("restart")
	equal(must(bufio.NewReader(os.Stdin).ReadString('\n')), "restarted\n")
	deadline := time.Now().Add(backWithin)
	names := make([]string, 0, len(all))
	for _, s := range all {
		do(s, func(s subject) { afterRestart(s, deadline) }, values, transactions)
		names = append(names, s.name)
	}
	fmt.Printf("shown: go-redis %s, %s\n", redis.Version(), strings.Join(names, ", "))
}

func do(s subject, parts ...func(subject)) {
	defer func() {
		if reason := recover(); reason != nil {
			panic(fmt.Sprintf("%s: %v", s.name, reason))
		}
	}()
	for _, part := range parts {
		part(s)
	}
}
