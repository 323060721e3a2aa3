//! Steps on both servers, one batch after the other, until their answers differ.

use std::collections::{BTreeSet, HashSet};
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use kvtenant_tests::clock::{Stopwatch, wait_for};

use crate::compare::{Context, equal};
use crate::exceptions::keys_of;
use crate::generate;
use crate::side::{CONNECTIONS, Side};
use crate::step::{Action, Step, Words, words};
use crate::wire::{Answer, Reply};

/// Steps that are sent together at most.
const BATCH_MAX: usize = 32;

/// A key's short life is over on a server when so much more has passed: its clock has whole milliseconds.
const OVER: Duration = Duration::from_millis(10);

/// Beyond it, times can no longer be told from mistakes: the steps are played again.
const SPAN_MAX: Duration = Duration::from_secs(4);

/// A machine that cannot do it so often has other troubles.
const ATTEMPTS: usize = 3;

/// More pages than a scan of some dozen keys can have.
const PAGES_MAX: usize = 1000;

/// The redis-server, and the server that is to answer like it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pair {
    pub(crate) reference: SocketAddr,
    pub(crate) subject: SocketAddr,
}

#[derive(Debug)]
pub(crate) struct Difference {
    /// The number of the step.
    pub(crate) step: usize,
    pub(crate) reference: String,
    pub(crate) subject: String,
}

/// The first difference, if there is one.
pub(crate) fn play(pair: Pair, steps: &[Step]) -> Result<Option<Difference>> {
    for _ in 0..ATTEMPTS {
        let mut game = Game::new(pair, steps)?;
        let difference = game.play(steps)?;
        if game.span <= SPAN_MAX {
            return Ok(difference);
        }
    }
    bail!("this machine is too busy: {ATTEMPTS} times a command took both servers more than {} s", SPAN_MAX.as_secs())
}

struct Game {
    sides: [Side; 2],
    /// What a transaction has collected, by connection.
    collected: [Option<Vec<Words>>; CONNECTIONS],
    /// The longest that any command took to be executed by both.
    span: Duration,
    keys: Vec<Vec<u8>>,
}

impl Game {
    fn new(pair: Pair, steps: &[Step]) -> Result<Self> {
        let named = steps.iter().filter_map(Step::words).flat_map(|words| keys_of(words).cloned());
        let keys: BTreeSet<_> = generate::keys().into_iter().chain(named).collect();
        Ok(Self {
            sides: [Side::open(pair.reference)?, Side::open(pair.subject)?],
            collected: Default::default(),
            span: Duration::ZERO,
            keys: keys.into_iter().collect(),
        })
    }

    fn play(&mut self, steps: &[Step]) -> Result<Option<Difference>> {
        let mut next = 0;
        while next < steps.len() {
            let length = batch_length(&steps[next..]);
            let batch = next..next + length;
            let difference = self.batch(&steps[batch.clone()])?;
            if let Some(difference) = difference {
                return Ok(Some(Difference { step: batch.start + difference.step, ..difference }));
            }
            next = batch.end;
        }
        self.nothing_is_left(steps.len())
    }

    /// Each connection answers what it is asked, and not something older.
    fn nothing_is_left(&mut self, steps: usize) -> Result<Option<Difference>> {
        for connection in 0..CONNECTIONS {
            let ping = Step::alone(connection, Action::Command(words("PING the-end")));
            if let Some(difference) = self.batch(&[ping])? {
                return Ok(Some(Difference { step: steps, ..difference }));
            }
        }
        Ok(None)
    }

    fn batch(&mut self, batch: &[Step]) -> Result<Option<Difference>> {
        let first = &batch[0];
        let connection = first.connection;
        if self.collected[connection].is_some() && !first.can_be_collected() {
            return if batch.len() > 1 { self.exchange(&batch[1..], 1) } else { Ok(None) };
        }
        if first.counts() {
            for side in &mut self.sides {
                side.touch(&self.keys)?;
            }
        }
        match &first.action {
            Action::ScanAll(options) => {
                let difference = self.scan_all(options)?;
                if difference.is_some() || batch.len() == 1 {
                    return Ok(difference);
                }
                self.exchange(&batch[1..], 1)
            }
            Action::ShortLife(_, life) => {
                let difference = self.exchange(&batch[..1], 0)?;
                if difference.is_some() {
                    return Ok(difference);
                }
                let (answered, over) = (Stopwatch::start(), *life + OVER);
                wait_for("a key's time to be over", over * 100, || Ok((answered.elapsed() >= over).then_some(())))?;
                if batch.len() == 1 { Ok(None) } else { self.exchange(&batch[1..], 1) }
            }
            _ => self.exchange(batch, 0),
        }
    }

    /// Sends all and compares what comes back; `skipped` steps of the batch came before.
    fn exchange(&mut self, batch: &[Step], skipped: usize) -> Result<Option<Difference>> {
        let connection = batch[0].connection;
        let requests: Vec<_> = batch.iter().map(Step::request).collect();
        let bytes: Vec<u8> = requests.iter().flat_map(|(bytes, _)| bytes).copied().collect();
        let count = requests.iter().map(|(_, answers)| answers).sum();
        let watch = Stopwatch::start();
        let [reference, subject] = &mut self.sides;
        let reference = reference.exchange(connection, &bytes, count)?;
        ensure!(!matches!(reference.last(), Some(Answer::Silence)), "redis-server does not answer {}", batch[0]);
        let subject = subject.exchange(connection, &bytes, count)?;
        if !matches!(subject.last(), Some(Answer::Silence)) {
            self.span = self.span.max(watch.elapsed());
        }

        let owners = requests.iter().enumerate().flat_map(|(step, (_, answers))| std::iter::repeat_n(step, *answers));
        let mut answers = reference.iter().zip(&subject);
        for step in owners {
            // After an end nothing comes.
            let Some((reference, subject)) = answers.next() else { break };
            if !self.judge(&batch[step], reference, subject) {
                let [reference, subject] = [reference, subject].map(ToString::to_string);
                return Ok(Some(Difference { step: step + skipped, reference, subject }));
            }
        }
        if matches!(reference.last(), Some(Answer::Closed)) {
            for side in &mut self.sides {
                side.reopen(connection)?;
            }
            self.collected[connection] = None;
        }
        Ok(None)
    }

    /// Whether both answers are equal; takes note of what they mean for a transaction.
    fn judge(&mut self, step: &Step, reference: &Answer, subject: &Answer) -> bool {
        let typed: Words;
        let words = match &step.action {
            Action::Command(words) | Action::ShortLife(words, _) => words,
            Action::Inline(line) => {
                typed = line.split_whitespace().map(|word| word.as_bytes().to_vec()).collect();
                &typed
            }
            // Only the OK of CLIENT REPLY ON, the PONG after a SKIP, or an end.
            _ => return reference == subject,
        };
        let collected = self.collected[step.connection].clone().unwrap_or_default();
        let context = Context { span: self.span, collected: &collected, keys: &self.keys };
        let equal = equal(words, reference, subject, context);
        if let Answer::Reply(reply) = reference {
            self.note(step.connection, words, reply);
        }
        equal
    }

    fn note(&mut self, connection: usize, words: &Words, reply: &Reply) {
        let collected = &mut self.collected[connection];
        let alone = |name: &str| words.len() == 1 && words[0].eq_ignore_ascii_case(name.as_bytes());
        if reply.kind == b'+' && reply.line == b"QUEUED" {
            collected.get_or_insert_default().push(words.clone());
        } else if alone("MULTI") && !reply.is_error() {
            *collected = Some(Vec::new());
        } else if alone("EXEC") || alone("DISCARD") || alone("RESET") {
            *collected = None;
        }
    }

    /// Each server's keys from its own first page to its own last.
    fn scan_all(&mut self, options: &Words) -> Result<Option<Difference>> {
        let [reference, subject] = &mut self.sides;
        let (reference, subject) = (scanned(reference, options)?, scanned(subject, options)?);
        if reference == subject {
            return Ok(None);
        }
        Ok(Some(Difference { step: 0, reference: format!("{reference:?}"), subject: format!("{subject:?}") }))
    }
}

/// How many of the steps are sent together.
fn batch_length(steps: &[Step]) -> usize {
    let pairs = steps.windows(2);
    let goes_on = |pair: &[Step]| {
        pair[1].joined
            && pair[1].can_be_joined()
            && pair[1].connection == pair[0].connection
            && !pair[0].ends_the_connection()
    };
    1 + pairs.take_while(|pair| goes_on(pair)).take(BATCH_MAX - 1).count()
}

/// The keys that a whole scan gives, or what it said instead.
fn scanned(side: &mut Side, options: &Words) -> Result<Result<BTreeSet<String>, String>> {
    let mut cursor = b"0".to_vec();
    let (mut keys, mut cursors) = (BTreeSet::new(), HashSet::new());
    for _ in 0..PAGES_MAX {
        let mut request = vec![b"SCAN".to_vec(), cursor.clone()];
        request.extend_from_slice(options);
        let answer = side.ask(&request)?;
        let Answer::Reply(reply) = &answer else { return Ok(Err(answer.to_string())) };
        let [next, page] = reply.items.as_slice() else { return Ok(Err(answer.to_string())) };
        keys.extend(page.items.iter().map(|key| key.body.escape_ascii().to_string()));
        if next.body == b"0" {
            return Ok(Ok(keys));
        }
        if !cursors.insert(next.body.clone()) {
            return Ok(Err(format!("goes in circles: the cursor {} comes again", next.body.escape_ascii())));
        }
        cursor = next.body.clone();
    }
    Ok(Err(format!("does not end within {PAGES_MAX} pages")))
}
