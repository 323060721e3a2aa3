//! Steps drawn from a seed: few keys, so that commands meet on them; arguments at the edges of what is allowed; and
//! now and then a command that is wrong.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};

use crate::asked::asked;
use crate::exceptions::is_asked;
use crate::grammar::{BROKEN, DATA, INLINE, NOTHING, REST};
use crate::material::{
    FLOATS, INTEGERS, KEYS, MILLI, MILLIS, NO_NUMBERS, OF_ONE_SLOT, PAST, PATTERNS, SECOND, SECONDS, VALUES,
};
use crate::step::{Action, Step, Words};

/// What this draws is right as often as not wrong on purpose.
const WRONG: f64 = 0.12;

/// Longer than the margin with which both servers come to see that a time is over.
const SHORT_LIFE: Duration = Duration::from_millis(30);

/// Where the steps are played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Port {
    Plain,
    /// Several keys of a command must be in one slot, so they mostly are.
    Cluster,
}

pub(crate) fn keys() -> Vec<Vec<u8>> {
    KEYS.iter().map(|key| key.as_bytes().to_vec()).collect()
}

/// About as many steps, the same for the same seed.
pub(crate) fn steps(seed: u64, count: usize, port: Port) -> Vec<Step> {
    let mut generator = Generator::new(seed, port);
    let mut steps = Vec::with_capacity(count);
    if generator.random.random() {
        let third = |connection| Step::alone(connection, Action::Command(crate::step::words("HELLO 3")));
        steps.extend([third(0), third(1)]);
    }
    while steps.len() < count {
        generator.next(&mut steps);
    }
    asked(port, steps)
}

struct Generator {
    random: StdRng,
    port: Port,
    /// How often steps are sent together.
    joined: f64,
    /// Of which the next keys are: on the cluster port those of one slot, mostly.
    one_slot: bool,
    /// Lifetimes drawn so far. Each is some seconds longer, because of two equal ones it would depend on a millisecond
    /// which key ends first.
    lifetimes: u64,
}

impl Generator {
    fn new(seed: u64, port: Port) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let joined = *[0.0, 0.0, 0.7, 0.93].choose(&mut random).expect("four of them");
        Self { random, port, joined, one_slot: false, lifetimes: 0 }
    }

    fn next(&mut self, steps: &mut Vec<Step>) {
        let connection = usize::from(self.random.random_bool(0.15));
        if self.random.random_bool(0.03) {
            return self.transaction(connection, steps);
        }
        let action = match self.random.random_range(0..200) {
            0..4 => Action::Inline((*self.one_of(INLINE)).to_owned()),
            4 => Action::Broken(self.one_of(BROKEN).to_vec()),
            5 => Action::Nothing(self.one_of(NOTHING).to_vec()),
            6 => Action::Muted(self.command(DATA)),
            7 => Action::Skipped(self.command(DATA)),
            8..11 => Action::ScanAll(self.scan_options()),
            11 => self.short_life(),
            12..60 => Action::Command(self.command(REST)),
            _ => Action::Command(self.command(DATA)),
        };
        let step = Step { connection, joined: self.random.random_bool(self.joined), action };
        steps.push(Step { joined: step.joined && step.can_be_joined(), ..step });
    }

    /// Collected commands, what they depend on, and perhaps somebody who is quicker.
    fn transaction(&mut self, connection: usize, steps: &mut Vec<Step>) {
        let joined = self.random.random_bool(self.joined);
        let mut push = |connection: usize, joined: bool, words: Words| {
            steps.push(Step { connection, joined, action: Action::Command(words) });
        };
        self.one_slot = self.port == Port::Plain || self.random.random_bool(0.9);
        if self.random.random_bool(0.6) {
            push(connection, joined, self.filled("WATCH <key> <key>*"));
            if self.random.random_bool(0.5) {
                let other = if self.random.random_bool(0.8) { 1 - connection } else { connection };
                push(other, false, self.filled("SET <key> <value>"));
            }
        }
        push(connection, joined, vec![b"MULTI".to_vec()]);
        for _ in 0..self.random.random_range(0..7) {
            let table = if self.random.random_bool(0.85) { DATA } else { REST };
            let words = self.one_slot_or_any(table);
            let step = Step::alone(connection, Action::Command(words));
            if step.can_be_collected() {
                steps.push(Step { joined, ..step });
            }
        }
        let end = if self.random.random_bool(0.85) { "EXEC" } else { "DISCARD" };
        steps.push(Step { connection, joined, action: Action::Command(vec![end.into()]) });
    }

    fn command(&mut self, table: &[(u32, &str)]) -> Words {
        self.one_slot = self.port == Port::Cluster && self.random.random_bool(0.8);
        self.one_slot_or_any(table)
    }

    fn one_slot_or_any(&mut self, table: &[(u32, &str)]) -> Words {
        let (_, line) = table.choose_weighted(&mut self.random, |(weight, _)| *weight).expect("weights are positive");
        let mut words = self.filled(line);
        if self.random.random_bool(WRONG) {
            let wrong = self.wrong(&words);
            if is_asked(&wrong) {
                words = wrong;
            }
        }
        if self.random.random_bool(0.1) {
            words[0].make_ascii_lowercase();
        }
        words
    }

    fn filled(&mut self, line: &str) -> Words {
        let mut words = Words::new();
        for part in line.split(' ') {
            let (part, times) = match part.strip_suffix('*') {
                Some(part) => (part, self.random.random_range(0..4)),
                None => (part, 1),
            };
            for _ in 0..times {
                self.fill(part, &mut words);
            }
        }
        words
    }

    fn fill(&mut self, part: &str, words: &mut Words) {
        let word: Vec<u8> = match part {
            "<key>" => self.key(),
            "<value>" => self.value(),
            "<pair>" => {
                words.push(self.key());
                self.value()
            }
            "<integer>" => self.text(&INTEGERS),
            "<float>" => self.text(&FLOATS),
            "<offset>" => self.text(&["0", "1", "5", "60", "300", "2097152", "4000000", "536870912", "-1"]),
            "<seconds>" => self.lifetime_of(&SECONDS, 1),
            "<millis>" => self.lifetime_of(&MILLIS, 1000),
            "<second>" => self.moment(&SECOND),
            "<milli>" => self.moment(&MILLI),
            "<pattern>" => self.text(&PATTERNS),
            "<set-options>" => return self.set_options(words),
            "<getex-options>" => return self.lifetime("PERSIST", words),
            "<expire-option>" => self.text(&["NX", "XX", "GT", "LT", "gt", "NO"]),
            "<flush>" => self.text(&["ASYNC", "SYNC", "sync"]),
            "<database>" => self.text(&["0", "0", "0", "1", "-1", "abc"]),
            "<protocol>" => self.text(&["2", "3", "3", "4", "abc"]),
            "<name>" => self.text(&["tool", "other-tool", "", "two words", "tab\t"]),
            "<client-type>" => self.text(&["normal", "replica", "pubsub", "master", "none"]),
            "<switch>" => self.text(&["ON", "off", "maybe"]),
            "<setting>" => self.text(&["maxmemory", "save", "nosuchsetting", "*"]),
            "<command>" => {
                self.text(&["get", "SET", "mset", "expire", "client", "config|get", "nosuch", "exec", "del"])
            }
            "<section>" => self.text(&["server", "clients", "memory", "keyspace", "nosuch"]),
            "<slot>" => self.text(&["15891", "15495", "3300", "0", "16383", "16384", "-1", "abc"]),
            literal => literal.as_bytes().to_vec(),
        };
        words.push(word);
    }

    fn set_options(&mut self, words: &mut Words) {
        for _ in 0..self.random.random_range(0..3) {
            match self.random.random_range(0..6) {
                0 | 1 => words.push(self.text(&["NX", "XX", "xx"])),
                2 => words.push(b"GET".to_vec()),
                _ => self.lifetime("KEEPTTL", words),
            }
        }
    }

    fn lifetime(&mut self, none: &str, words: &mut Words) {
        let (name, value) = match self.random.random_range(0..6) {
            0 => return words.push(none.into()),
            1 => ("EX", self.lifetime_of(&SECONDS, 1)),
            2 => ("PX", self.lifetime_of(&MILLIS, 1000)),
            3 => ("EXAT", self.moment(&SECOND)),
            4 => ("pxat", self.moment(&MILLI)),
            _ => return,
        };
        words.extend([name.into(), value]);
    }

    fn lifetime_of(&mut self, texts: &[&str], second: u64) -> Vec<u8> {
        let text = self.text(texts);
        let number = String::from_utf8_lossy(&text).parse::<u64>().ok().filter(|number| (1..1 << 32).contains(number));
        let Some(number) = number else { return text };
        self.lifetimes += 1;
        (number + self.lifetimes * second).to_string().into_bytes()
    }

    fn moment(&mut self, future: &[&str]) -> Vec<u8> {
        if self.random.random_bool(0.2) { self.text(&PAST) } else { self.text(future) }
    }

    fn key(&mut self) -> Vec<u8> {
        let number = if self.one_slot { *self.one_of(&OF_ONE_SLOT) } else { self.random.random_range(0..KEYS.len()) };
        KEYS[number].as_bytes().to_vec()
    }

    fn value(&mut self) -> Vec<u8> {
        match self.random.random_range(0..60) {
            0 => self.bytes(20_000),
            1 => self.bytes(300),
            _ => self.one_of(&VALUES).to_vec(),
        }
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.random.random()).collect()
    }

    fn scan_options(&mut self) -> Words {
        let line = ["", "COUNT 3", "COUNT 100", "MATCH {t}* COUNT 2", "MATCH a*", "TYPE string", "TYPE list"];
        let line = self.one_of(&line);
        if line.is_empty() { Words::new() } else { crate::step::words(line) }
    }

    fn short_life(&mut self) -> Action {
        let life = SHORT_LIFE.as_millis().to_string();
        let line = ["SET <key> <value> PX", "PEXPIRE <key>", "GETEX <key> PX"];
        self.one_slot = false;
        let line = *self.one_of(&line);
        let mut words = self.filled(line);
        words.push(life.into_bytes());
        Action::ShortLife(words, SHORT_LIFE)
    }

    /// A word less, a word more, or a number that is none.
    fn wrong(&mut self, words: &Words) -> Words {
        let mut wrong = words.clone();
        let any = self.random.random_range(0..wrong.len());
        match self.random.random_range(0..4) {
            0 if any > 0 => drop(wrong.remove(any)),
            1 => wrong.push(self.text(&["NX", "abc", "5000000", "GET", "EX", "PX", "COUNT"])),
            _ if any > 0 => wrong[any] = self.text(&NO_NUMBERS),
            _ => drop(wrong.pop().filter(|_| wrong.len() > 1)),
        }
        if wrong.is_empty() { words.clone() } else { wrong }
    }

    fn text(&mut self, texts: &[&str]) -> Vec<u8> {
        self.one_of(texts).as_bytes().to_vec()
    }

    fn one_of<'t, T>(&mut self, things: &'t [T]) -> &'t T {
        things.choose(&mut self.random).expect("there is at least one")
    }
}

#[test]
fn a_seed_gives_the_same_steps_again_and_another_one_others() {
    assert_eq!(steps(7, 200, Port::Plain), steps(7, 200, Port::Plain));
    assert_ne!(steps(7, 200, Port::Plain), steps(8, 200, Port::Plain));
}

#[test]
fn every_line_of_the_grammar_is_drawn() {
    let mut names: std::collections::BTreeSet<String> = std::collections::BTreeSet::new();
    for seed in 0..300 {
        let steps = steps(seed, 200, Port::Plain);
        names.extend(steps.iter().filter_map(Step::words).map(|words| crate::step::names(words)[0].clone()));
    }
    for (_, line) in DATA.iter().chain(REST) {
        let name = line.split(' ').next().unwrap();
        assert!(names.contains(name), "{name} is never drawn");
    }
}

#[test]
fn the_longest_key_is_as_long_as_a_key_may_be() {
    assert_eq!(KEYS[13].len(), 256);
}
