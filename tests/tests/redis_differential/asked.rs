//! Leaves out the steps which kvnode refuses by design because of the steps before them.

use crate::exceptions::keys_of;
use crate::generate::Port;
use crate::material::is_of_the_one_slot;
use crate::side::CONNECTIONS;
use crate::step::{Action, Step, Words, names};

/// What a connection has begun.
#[derive(Clone, Copy, Debug, Default)]
struct Begun {
    is_watching: bool,
    is_collecting: bool,
}

pub(crate) fn asked(port: Port, steps: Vec<Step>) -> Vec<Step> {
    let mut begun = [Begun::default(); CONNECTIONS];
    let mut asked = Vec::with_capacity(steps.len());
    for step in steps {
        let is_watched = begun.iter().any(|begun| begun.is_watching);
        if is_watched && step.words().is_some_and(is_flush) {
            continue;
        }
        let begun = &mut begun[step.connection];
        if begun.allows(port, &step.action) {
            begun.note(&step.action);
            asked.push(step);
        }
    }
    asked
}

impl Begun {
    fn allows(self, port: Port, action: &Action) -> bool {
        match action {
            Action::Command(words) => (!self.is_collecting || can_be_collected(words)) && self.allows_keys(port, words),
            Action::Muted(words) | Action::Skipped(words) | Action::ShortLife(words, _) => {
                !self.is_collecting && self.allows_keys(port, words)
            }
            Action::Inline(_) | Action::ScanAll(_) => !self.is_collecting,
            Action::Broken(_) | Action::Nothing(_) => true,
        }
    }

    fn allows_keys(self, port: Port, words: &Words) -> bool {
        let is_at_once = match names(words)[0].as_str() {
            "WATCH" => true,
            "RENAME" | "RENAMENX" => port == Port::Plain || self.is_watching,
            _ => self.is_collecting && (port == Port::Plain || self.is_watching),
        };
        !is_at_once || keys_of(words).all(|key| is_of_the_one_slot(key))
    }

    fn note(&mut self, action: &Action) {
        match action {
            Action::Broken(_) => *self = Self::default(),
            Action::Command(words) => match (names(words)[0].as_str(), words.len()) {
                ("MULTI", 1) => self.is_collecting = true,
                ("WATCH", 2..) if !self.is_collecting => self.is_watching = true,
                ("UNWATCH", 1) if !self.is_collecting => self.is_watching = false,
                ("DISCARD", 1) if self.is_collecting => *self = Self::default(),
                // With a word too many, it ends the transaction all the same.
                ("EXEC", 2..) => *self = Self::default(),
                ("EXEC", 1) if self.is_collecting => *self = Self::default(),
                ("RESET", 1) | ("QUIT", _) => *self = Self::default(),
                _ => {}
            },
            _ => {}
        }
    }
}

fn is_flush(words: &Words) -> bool {
    matches!(names(words)[0].as_str(), "FLUSHALL" | "FLUSHDB")
}

fn can_be_collected(words: &Words) -> bool {
    let [name, below] = names(words);
    match name.as_str() {
        _ if is_flush(words) => false,
        "DBSIZE" | "INFO" | "KEYS" | "RANDOMKEY" | "SCAN" | "AUTH" | "HELLO" => false,
        "CLUSTER" => below != "COUNTKEYSINSLOT" && below != "GETKEYSINSLOT",
        _ => true,
    }
}

#[test]
fn what_is_asked_depends_on_the_steps_before() {
    let step = |line: &str| Step::alone(0, Action::Command(crate::step::words(line)));
    let of = |port, lines: &[&str]| asked(port, lines.iter().map(|line| step(line)).collect()).len();
    assert_eq!(
        of(Port::Plain, &["DBSIZE", "SET a 1", "MULTI", "SET a 1", "SET {t}a 1", "DBSIZE", "EXEC", "DBSIZE"]),
        6
    );
    assert_eq!(of(Port::Cluster, &["MULTI", "SET a 1", "HELLO 3", "DISCARD", "HELLO 3", "RENAME a b"]), 5);
    assert_eq!(
        of(Port::Cluster, &["WATCH a", "WATCH {t}a", "MULTI", "SET a 1", "EXEC", "MULTI", "SET a 1", "EXEC"]),
        6
    );
    assert_eq!(of(Port::Plain, &["FLUSHALL", "WATCH {t}a", "FLUSHALL", "UNWATCH", "FLUSHDB"]), 4);
    assert_eq!(of(Port::Plain, &["RENAME a b", "RENAME {t}a {t}b", "MULTI abc", "KEYS *"]), 3);
}
