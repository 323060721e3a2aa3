//! Writes of every kind: values given and values changed, expiries that come, stay and go, tags, and numbers at the end
//! of their range.

use kvnode_core::patch::{Patch, PatchKind};
use kvnode_core::store::attributes::{Tags, Ttl};
use kvnode_core::store::change::NewValue;
use kvnode_core::store::command::{NewExpiry, NewTags, Write};
use kvnode_core::store::fraction::Fraction;
use kvnode_core::store::value::Value;
use kvnode_core::time::UnixMillis;
use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;

use super::Workload;

/// How many values the one tag has that is drawn; few, so that keys share them.
pub(super) const TAG_VALUES: u8 = 3;

/// Lives and moments are drawn around now by so much; as long as a clock advances within a dozen steps.
const NEAR_MS: u64 = 120_000;

impl Workload {
    pub(super) fn write(&self, now: UnixMillis, random: &mut StdRng) -> Write<'static> {
        Write {
            value: self.new_value(random),
            expiry: new_expiry(now, random),
            tags: self.new_tags(random),
            conditions: self.conditions(now, random),
            with_previous: random.random_bool(0.3),
        }
    }

    pub(super) fn value(&self, random: &mut StdRng) -> Value<'static> {
        let limits = &self.config.limits;
        let text = match random.random_range(0..10) {
            0 | 1 => random.random_range(-3..10).to_string(),
            2 => (f64::from(random.random_range(-40..40)) / 4.0).to_string(),
            3 => [i64::MAX, i64::MIN, i64::MAX - 5].choose(random).expect("three of them").to_string(),
            4 => (*["", "01", "1e3", "inf", "nan"].choose(random).expect("five of them")).to_owned(),
            _ => "x".repeat(random.random_range(0..self.value_chars_max)),
        };
        let quoted = format!("\"{text}\"");
        let value = match (random.random_bool(0.6), Value::json(&text, limits)) {
            (false, _) => Value::bytes(text.as_bytes(), limits).expect("short values are good"),
            (true, Ok(value)) => value,
            (true, Err(_)) => Value::json(&quoted, limits).expect("short texts are good"),
        };
        value.into_owned()
    }

    fn new_value(&self, random: &mut StdRng) -> NewValue<'static> {
        let bytes = |random: &mut StdRng| self.value(random).content().to_vec().into();
        match random.random_range(0..21) {
            0..10 => NewValue::Set(self.value(random)),
            10 | 11 => NewValue::Keep,
            12 | 13 => NewValue::Append(bytes(random)),
            14 | 15 => {
                // The last two are beyond what any value may have.
                let offset = *[0, 1, 5, 40, 3 << 20, usize::MAX].choose(random).expect("six of them");
                NewValue::Overwrite { offset, bytes: bytes(random) }
            }
            16..19 => NewValue::AddInteger(*[1, -1, 7, i64::MAX, i64::MIN].choose(random).expect("five of them")),
            19 => NewValue::Patch(self.patch(random)),
            _ => {
                let text = ["0.25", "-1.5", "3.0", "1e300"].choose(random).expect("four of them");
                NewValue::AddFraction(Fraction::parse(text.as_bytes()).expect("a number"))
            }
        }
    }

    /// Some make an object of whatever is there, so that the others find one now and then.
    fn patch(&self, random: &mut StdRng) -> Patch<'static> {
        let bodies = [
            (PatchKind::Merge, r#"{"a":{"b":1},"c":null}"#),
            (PatchKind::Merge, r#"{"a":null,"c":[1,2]}"#),
            (PatchKind::Shallow, r#"{"c":null,"n":12345678901234567890}"#),
            (PatchKind::Shallow, "17"),
            (PatchKind::Operations, r#"[{"op":"add","path":"/a","value":[]}]"#),
            (PatchKind::Operations, r#"[{"op":"test","path":"/c","value":null},{"op":"remove","path":"/c"}]"#),
        ];
        let &(kind, body) = bodies.choose(random).expect("six of them");
        Patch::parse(kind, body.as_bytes(), &self.config.limits.of_patches()).expect("a good patch")
    }

    fn new_tags(&self, random: &mut StdRng) -> NewTags {
        if random.random_bool(0.4) { NewTags::Keep } else { NewTags::Set(self.tags(random)) }
    }

    pub(super) fn tags(&self, random: &mut StdRng) -> Tags {
        let tag = random.random_range(0..TAG_VALUES).to_string();
        let pairs = [("tag", tag.as_str()), ("другой", "значение")];
        let count = random.random_range(0..=pairs.len());
        Tags::new(pairs[..count].iter().copied(), &self.config.limits).expect("two short tags")
    }
}

fn new_expiry(now: UnixMillis, random: &mut StdRng) -> NewExpiry {
    match random.random_range(0..20) {
        0..8 => NewExpiry::Never,
        8..11 => NewExpiry::Keep,
        11 => NewExpiry::KeepOrAfter(Ttl::from_seconds(30).expect("a good ttl").expect("it is not zero")),
        12..16 => {
            let milliseconds = random.random_range(1..NEAR_MS);
            let whole = if random.random() { milliseconds.next_multiple_of(1000) } else { milliseconds };
            NewExpiry::After(Ttl::from_millis(whole).expect("two minutes are a good ttl").expect("it is not zero"))
        }
        16..19 => NewExpiry::At(near(now, random)),
        _ => NewExpiry::At(UnixMillis::new(*[0, 1 << 47, 1 << 50, u64::MAX].choose(random).expect("four of them"))),
    }
}

/// A moment within two minutes, before or behind.
pub(super) fn near(now: UnixMillis, random: &mut StdRng) -> UnixMillis {
    UnixMillis::new(now.get() - NEAR_MS / 2 + random.random_range(0..NEAR_MS * 3 / 2))
}
