//! What is done, one step after the other. A step is complete in itself, so that any of them can be left out.

use std::fmt;
use std::time::Duration;

/// A command and its arguments.
pub(crate) type Words = Vec<Vec<u8>>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) connection: usize,
    /// Sent together with the step before, if that was on the same connection.
    pub(crate) joined: bool,
    pub(crate) action: Action,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// As clients send it.
    Command(Words),
    /// As people type it.
    Inline(String),
    /// Not in the protocol: an error, and the end of the connection.
    Broken(Vec<u8>),
    /// Bytes that ask for nothing.
    Nothing(Vec<u8>),
    /// With CLIENT REPLY OFF before and ON after it, whose OK is all that is answered.
    Muted(Words),
    /// With CLIENT REPLY SKIP before it, and a PING after it: whoever waits for no answer cannot know that it was done
    /// before the next step on the other connection.
    Skipped(Words),
    /// SCAN from the beginning to the end, with these options.
    ScanAll(Words),
    /// A command that gives a key so long to live, and the time until that is over.
    ShortLife(Words, Duration),
}

impl Step {
    pub(crate) fn alone(connection: usize, action: Action) -> Self {
        Self { connection, joined: false, action }
    }

    /// Whether it can be sent before the answers to what was sent before are known.
    pub(crate) fn can_be_joined(&self) -> bool {
        match &self.action {
            Action::Command(words) => !counts(words),
            Action::Inline(_) | Action::Broken(_) | Action::Nothing(_) => true,
            _ => false,
        }
    }

    /// Whether it means the same when a transaction collects it.
    pub(crate) fn can_be_collected(&self) -> bool {
        self.can_be_joined()
    }

    /// Whether the server closes the connection after it, whatever else was sent.
    pub(crate) fn ends_the_connection(&self) -> bool {
        match &self.action {
            Action::Broken(_) => true,
            Action::Command(words) => names(words)[0] == "QUIT",
            _ => false,
        }
    }

    /// Whether it must be told apart what is due and what is gone.
    pub(crate) fn counts(&self) -> bool {
        matches!(&self.action, Action::Command(words) if counts(words))
    }

    /// Those of a command, however it is sent.
    pub(crate) fn words(&self) -> Option<&Words> {
        match &self.action {
            Action::Command(words) | Action::Muted(words) | Action::Skipped(words) | Action::ShortLife(words, _) => {
                Some(words)
            }
            _ => None,
        }
    }

    /// What is sent, and how many answers it has.
    pub(crate) fn request(&self) -> (Vec<u8>, usize) {
        match &self.action {
            Action::Command(words) if self.ends_the_connection() => (array(words), 2),
            Action::Command(words) | Action::ShortLife(words, _) => (array(words), 1),
            Action::Inline(line) => (format!("{line}\r\n").into_bytes(), 1),
            // The answer, and the end.
            Action::Broken(bytes) => (bytes.clone(), 2),
            Action::Nothing(bytes) => (bytes.clone(), 0),
            Action::Muted(words) => ([client_reply("OFF"), array(words), client_reply("ON")].concat(), 1),
            Action::Skipped(words) => ([client_reply("SKIP"), array(words), array(&[b"PING".to_vec()])].concat(), 1),
            Action::ScanAll(_) => (Vec::new(), 0),
        }
    }
}

/// A request as clients write it.
pub(crate) fn array(words: &[Vec<u8>]) -> Vec<u8> {
    let mut request = format!("*{}\r\n", words.len()).into_bytes();
    for word in words {
        request.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        request.extend_from_slice(word);
        request.extend_from_slice(b"\r\n");
    }
    request
}

pub(crate) fn words(line: &str) -> Words {
    line.split(' ').map(|word| word.as_bytes().to_vec()).collect()
}

fn client_reply(mode: &str) -> Vec<u8> {
    array(&words(&format!("CLIENT REPLY {mode}")))
}

/// The name of the command and, if it has one, of its subcommand, in capital letters.
pub(crate) fn names(words: &[Vec<u8>]) -> [String; 2] {
    let name = |index: usize| {
        words.get(index).map(|word| String::from_utf8_lossy(word).to_ascii_uppercase()).unwrap_or_default()
    };
    [name(0), name(1)]
}

fn counts(words: &[Vec<u8>]) -> bool {
    let [name, below] = names(words);
    name == "DBSIZE" || (name == "CLUSTER" && (below == "COUNTKEYSINSLOT" || below == "GETKEYSINSLOT"))
}

impl fmt::Display for Step {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let connection = char::from(b"AB"[self.connection]);
        write!(to, "{connection}{} ", if self.joined { '+' } else { ':' })?;
        match &self.action {
            Action::Command(words) => to.write_str(&line(words)),
            Action::Inline(line) => write!(to, "(inline) {line}"),
            Action::Broken(bytes) | Action::Nothing(bytes) => write!(to, "(bytes) {}", bytes.escape_ascii()),
            Action::Muted(words) => write!(to, "(between CLIENT REPLY OFF and ON) {}", line(words)),
            Action::Skipped(words) => write!(to, "(after CLIENT REPLY SKIP) {}", line(words)),
            Action::ScanAll(options) => write!(to, "(to the end) SCAN 0 {}", line(options)),
            Action::ShortLife(words, life) => write!(to, "{} (then {} ms pass)", line(words), life.as_millis()),
        }
    }
}

fn line(words: &[Vec<u8>]) -> String {
    words.iter().map(|word| shown(word)).collect::<Vec<_>>().join(" ")
}

/// A word as redis-cli would take it.
fn shown(word: &[u8]) -> String {
    let plain = |byte: &u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\'' | b'\\');
    if !word.is_empty() && word.iter().all(plain) {
        String::from_utf8_lossy(word).into_owned()
    } else {
        format!("\"{}\"", word.escape_ascii())
    }
}
