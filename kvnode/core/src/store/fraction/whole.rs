//! Whole numbers of any size, as far as reading and showing fractions needs them.

/// Four bytes each, the lowest first; the last is not zero.
#[derive(Debug)]
pub(super) struct Whole(Vec<u32>);

/// As many tens as a word has room for are taken at once.
const TENS_AT_ONCE: u32 = 9;
const WORD_BITS: u64 = 32;

impl Whole {
    pub(super) fn of(number: u64) -> Self {
        let mut whole = Self(vec![low(number), low(number >> WORD_BITS)]);
        whole.trim();
        whole
    }

    pub(super) fn of_digits(digits: impl Iterator<Item = u8>) -> Self {
        let mut whole = Self(Vec::new());
        let (mut part, mut len) = (0, 0);
        for digit in digits {
            part = part * 10 + u32::from(digit - b'0');
            len += 1;
            if len == TENS_AT_ONCE {
                whole.multiply_and_add(10_u32.pow(len), part);
                (part, len) = (0, 0);
            }
        }
        whole.multiply_and_add(10_u32.pow(len), part);
        whole
    }

    pub(super) fn bits(&self) -> u64 {
        self.0.last().map_or(0, |last| self.0.len() as u64 * WORD_BITS - u64::from(last.leading_zeros()))
    }

    pub(super) fn multiply_by_ten(&mut self, times: u32) {
        for _ in 0..times / TENS_AT_ONCE {
            self.multiply_and_add(10_u32.pow(TENS_AT_ONCE), 0);
        }
        self.multiply_and_add(10_u32.pow(times % TENS_AT_ONCE), 0);
    }

    /// Says whether there was a rest.
    pub(super) fn divide_by_ten(&mut self, times: u32) -> bool {
        let mut rest = self.divide(10_u32.pow(times % TENS_AT_ONCE)) > 0;
        for _ in 0..times / TENS_AT_ONCE {
            rest |= self.divide(10_u32.pow(TENS_AT_ONCE)) > 0;
        }
        rest
    }

    pub(super) fn shift_left(&mut self, bits: u64) {
        let words = usize::try_from(bits / WORD_BITS).expect("no number is larger than memory");
        self.multiply_and_add(1 << (bits % WORD_BITS), 0);
        self.0.splice(0..0, std::iter::repeat_n(0, words));
        self.trim();
    }

    /// Its highest 96 to 128 bits, how many there are below them, and whether any of those is set.
    pub(super) fn top(&self) -> (u128, u64, bool) {
        let below = self.0.len().saturating_sub(4);
        let top = self.0[below..].iter().rev().fold(0, |top, &word| top << WORD_BITS | u128::from(word));
        (top, below as u64 * WORD_BITS, self.0[..below].iter().any(|&word| word > 0))
    }

    pub(super) fn into_decimal(mut self) -> String {
        let mut parts = Vec::new();
        while !self.0.is_empty() {
            parts.push(self.divide(10_u32.pow(TENS_AT_ONCE)));
        }
        let first = parts.pop().unwrap_or(0).to_string();
        let others = parts.iter().rev().map(|part| format!("{part:0digits$}", digits = TENS_AT_ONCE as usize));
        std::iter::once(first).chain(others).collect()
    }

    fn multiply_and_add(&mut self, factor: u32, term: u32) {
        let mut carry = u64::from(term);
        for word in &mut self.0 {
            let product = u64::from(*word) * u64::from(factor) + carry;
            *word = low(product);
            carry = product >> WORD_BITS;
        }
        self.0.push(low(carry));
        self.trim();
    }

    /// Leaves the quotient, and gives the rest.
    fn divide(&mut self, divisor: u32) -> u32 {
        let divisor = u64::from(divisor);
        let mut rest = 0;
        for word in self.0.iter_mut().rev() {
            let part = rest << WORD_BITS | u64::from(*word);
            *word = low(part / divisor);
            rest = part % divisor;
        }
        self.trim();
        low(rest)
    }

    fn trim(&mut self) {
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the upper half is taken apart from it")]
fn low(number: u64) -> u32 {
    number as u32
}
