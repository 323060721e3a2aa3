//! Answers as bytes, a method a type. Commands say what they mean; which of it a client of the older protocol can be
//! told, and how, is known here only.

/// Enough for the digits of any 64-bit number.
const DIGITS_MAX: usize = 20;

/// Between these sizes a number is written out, outside of them with an exponent, as `printf`'s `%.17g` does it.
const PLAIN_DOUBLE_MIN: f64 = 1e-4;
const PLAIN_DOUBLE_LIMIT: f64 = 1e17;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Protocol {
    #[default]
    Resp2,
    Resp3,
}

#[derive(Debug)]
pub struct Writer<'b> {
    out: &'b mut Vec<u8>,
    protocol: Protocol,
}

impl<'b> Writer<'b> {
    pub fn new(out: &'b mut Vec<u8>, protocol: Protocol) -> Self {
        Self { out, protocol }
    }

    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// From here on in this protocol.
    pub fn speak(&mut self, protocol: Protocol) {
        self.protocol = protocol;
    }

    /// How long what was written into the same place is by now.
    pub fn length(&self) -> usize {
        self.out.len()
    }

    /// Another one for the same place, for as long as this one waits.
    pub fn lend(&mut self) -> Writer<'_> {
        Writer { out: self.out, protocol: self.protocol }
    }

    /// What another writer wrote.
    pub fn written_before(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    pub fn ok(&mut self) {
        self.out.extend_from_slice(b"+OK\r\n");
    }

    pub fn simple(&mut self, text: &str) {
        self.line(b'+', text.as_bytes());
    }

    /// The message begins with its code: `ERR`, `MOVED`, `NOAUTH`, …
    pub fn error(&mut self, message: &[u8]) {
        self.line(b'-', message);
    }

    pub fn integer(&mut self, number: i64) {
        self.out.push(b':');
        if number < 0 {
            self.out.push(b'-');
        }
        self.digits(number.unsigned_abs());
        self.end();
    }

    pub fn bulk(&mut self, bytes: &[u8]) {
        self.out.reserve(bytes.len() + DIGITS_MAX + b"$\r\n\r\n".len());
        self.header(b'$', bytes.len());
        self.out.extend_from_slice(bytes);
        self.end();
    }

    /// Where a bulk string was asked for and there is none.
    pub fn null(&mut self) {
        self.out.extend_from_slice(self.choose(b"$-1\r\n", b"_\r\n"));
    }

    /// Where an array was asked for and there is none.
    pub fn null_array(&mut self) {
        self.out.extend_from_slice(self.choose(b"*-1\r\n", b"_\r\n"));
    }

    /// So many elements follow.
    pub fn array(&mut self, length: usize) {
        self.header(b'*', length);
    }

    /// So many pairs follow, each a key and a value.
    pub fn map(&mut self, pairs: usize) {
        match self.protocol {
            Protocol::Resp2 => self.header(b'*', pairs * 2),
            Protocol::Resp3 => self.header(b'%', pairs),
        }
    }

    pub fn set(&mut self, length: usize) {
        self.header(self.choose(b'*', b'~'), length);
    }

    /// What was not asked for. Clients of the older protocol take it for an answer, so send it only to those that
    /// subscribed to something.
    pub fn push(&mut self, length: usize) {
        self.header(self.choose(b'*', b'>'), length);
    }

    /// The shortest digits that give the same number again.
    pub fn double(&mut self, number: f64) {
        let size = number.abs();
        let text = if number.is_nan() {
            "nan".to_owned()
        } else if number.is_infinite() {
            if number > 0.0 { "inf" } else { "-inf" }.to_owned()
        } else if size == 0.0 || (PLAIN_DOUBLE_MIN..PLAIN_DOUBLE_LIMIT).contains(&size) {
            format!("{number}")
        } else {
            format!("{number:e}")
        };
        match self.protocol {
            Protocol::Resp2 => self.bulk(text.as_bytes()),
            Protocol::Resp3 => self.line(b',', text.as_bytes()),
        }
    }

    pub fn boolean(&mut self, truth: bool) {
        let (resp2, resp3): (&[u8], &[u8]) = if truth { (b":1\r\n", b"#t\r\n") } else { (b":0\r\n", b"#f\r\n") };
        self.out.extend_from_slice(self.choose(resp2, resp3));
    }

    /// Text for people, as INFO and CLIENT LIST give it: clients show it without quoting it.
    pub fn verbatim(&mut self, text: &[u8]) {
        const FORMAT: &[u8] = b"txt:";
        match self.protocol {
            Protocol::Resp2 => self.bulk(text),
            Protocol::Resp3 => {
                self.header(b'=', FORMAT.len() + text.len());
                self.out.extend_from_slice(FORMAT);
                self.out.extend_from_slice(text);
                self.end();
            }
        }
    }

    fn choose<T>(&self, resp2: T, resp3: T) -> T {
        match self.protocol {
            Protocol::Resp2 => resp2,
            Protocol::Resp3 => resp3,
        }
    }

    /// Texts may quote what a client sent; a line end in them would let it write answers of its own into the stream.
    fn line(&mut self, marker: u8, text: &[u8]) {
        self.out.push(marker);
        self.out.extend(text.iter().map(|&byte| if matches!(byte, b'\r' | b'\n') { b' ' } else { byte }));
        self.end();
    }

    fn header(&mut self, marker: u8, length: usize) {
        self.out.push(marker);
        self.digits(length as u64);
        self.end();
    }

    fn end(&mut self) {
        self.out.extend_from_slice(b"\r\n");
    }

    /// By hand, because the formatting machinery costs more than everything else in a short answer.
    fn digits(&mut self, mut number: u64) {
        let mut digits = [0; DIGITS_MAX];
        let mut first = DIGITS_MAX;
        loop {
            first -= 1;
            digits[first] = b'0' + (number % 10) as u8;
            number /= 10;
            if number == 0 {
                break;
            }
        }
        self.out.extend_from_slice(&digits[first..]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes one answer.
    type Write = fn(&mut Writer);

    fn both(write: impl Fn(&mut Writer)) -> [String; 2] {
        [Protocol::Resp2, Protocol::Resp3].map(|protocol| {
            let mut out = Vec::new();
            write(&mut Writer::new(&mut out, protocol));
            String::from_utf8(out).expect("text")
        })
    }

    #[test]
    fn what_both_protocols_know_is_written_the_same() {
        let cases: [(Write, &str); 8] = [
            (|writer| writer.ok(), "+OK\r\n"),
            (|writer| writer.simple("PONG"), "+PONG\r\n"),
            (|writer| writer.error(b"ERR no"), "-ERR no\r\n"),
            (|writer| writer.integer(0), ":0\r\n"),
            (|writer| writer.integer(-12), ":-12\r\n"),
            (|writer| writer.bulk(b"a\r\nb"), "$4\r\na\r\nb\r\n"),
            (|writer| writer.bulk(b""), "$0\r\n\r\n"),
            (|writer| writer.array(10), "*10\r\n"),
        ];
        for (write, expected) in cases {
            assert_eq!(both(write), [expected, expected]);
        }
    }

    #[test]
    fn what_only_the_newer_protocol_knows_is_told_the_older_in_its_own_types() {
        let cases: [(Write, &str, &str); 11] = [
            (|writer| writer.null(), "$-1\r\n", "_\r\n"),
            (|writer| writer.null_array(), "*-1\r\n", "_\r\n"),
            (|writer| writer.map(3), "*6\r\n", "%3\r\n"),
            (|writer| writer.set(3), "*3\r\n", "~3\r\n"),
            (|writer| writer.push(2), "*2\r\n", ">2\r\n"),
            (|writer| writer.boolean(true), ":1\r\n", "#t\r\n"),
            (|writer| writer.boolean(false), ":0\r\n", "#f\r\n"),
            (|writer| writer.double(0.1), "$3\r\n0.1\r\n", ",0.1\r\n"),
            (|writer| writer.double(1e300), "$5\r\n1e300\r\n", ",1e300\r\n"),
            (|writer| writer.double(f64::NEG_INFINITY), "$4\r\n-inf\r\n", ",-inf\r\n"),
            (|writer| writer.verbatim(b"a:1"), "$3\r\na:1\r\n", "=7\r\ntxt:a:1\r\n"),
        ];
        for (write, resp2, resp3) in cases {
            assert_eq!(both(write), [resp2, resp3]);
        }
    }

    #[test]
    fn the_largest_numbers_are_written_whole() {
        for number in [i64::MIN, i64::MIN + 1, -1, 9, 10, 99, 100, i64::MAX] {
            assert_eq!(both(|writer| writer.integer(number))[0], format!(":{number}\r\n"));
        }
    }

    #[test]
    fn no_line_of_an_answer_can_be_broken_by_what_a_client_sent() {
        assert_eq!(both(|writer| writer.error(b"ERR 'a\r\n+OK\r\n'"))[0], "-ERR 'a  +OK  '\r\n");
        assert_eq!(both(|writer| writer.simple("a\nb"))[0], "+a b\r\n");
    }

    #[test]
    fn bytes_that_are_no_text_stay_as_they_are() {
        let mut out = Vec::new();
        let mut writer = Writer::new(&mut out, Protocol::Resp2);
        writer.error(b"ERR \xff");
        writer.bulk(b"\x00\xfe");
        assert_eq!(out, b"-ERR \xff\r\n$2\r\n\x00\xfe\r\n");
    }
}
