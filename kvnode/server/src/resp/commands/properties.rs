//! What is true of a command, in the words that COMMAND INFO has for it.

use crate::resp::request::Arguments;

/// A set of facts, each a bit whose place is that of its word in the list of words, which is the order Redis gives
/// them in.
macro_rules! facts {
    ($(#[$meta:meta])* $set:ident: $($fact:ident $word:literal)*) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct $set(u16);

        impl $set {
            pub const NONE: Self = Self(0);
            const WORDS: &[&str] = &[$($word),*];
            facts!(@bits 0, $($fact)*);

            #[must_use]
            pub const fn and(self, other: Self) -> Self {
                Self(self.0 | other.0)
            }

            pub const fn has(self, other: Self) -> bool {
                self.0 & other.0 == other.0
            }

            pub fn words(self) -> impl Iterator<Item = &'static str> + Clone {
                let among = move |(place, _): &(usize, &str)| self.0 & (1 << place) != 0;
                Self::WORDS.iter().copied().enumerate().filter(among).map(|(_, word)| word)
            }
        }
    };
    (@bits $place:expr,) => {};
    (@bits $place:expr, $fact:ident $($more:ident)*) => {
        pub const $fact: Self = Self(1 << ($place));
        facts!(@bits $place + 1, $($more)*);
    };
}

facts! {
    /// How a command may be used.
    Flags:
    WRITE "write"
    READONLY "readonly"
    DENYOOM "denyoom"
    ADMIN "admin"
    NOSCRIPT "noscript"
    LOADING "loading"
    STALE "stale"
    SKIP_SLOWLOG "skip_slowlog"
    FAST "fast"
    NO_AUTH "no_auth"
    ALLOW_BUSY "allow_busy"
}

facts! {
    /// Kinds of commands that are allowed or forbidden together.
    Categories:
    KEYSPACE "@keyspace"
    READ "@read"
    WRITE "@write"
    STRING "@string"
    ADMIN "@admin"
    FAST "@fast"
    SLOW "@slow"
    DANGEROUS "@dangerous"
    CONNECTION "@connection"
    TRANSACTION "@transaction"
}

impl Categories {
    /// The kinds that follow from how a command may be used.
    pub(super) const fn implied_by(flags: Flags) -> Self {
        let mut categories = if flags.has(Flags::FAST) { Self::FAST } else { Self::SLOW };
        if flags.has(Flags::WRITE) {
            categories = categories.and(Self::WRITE);
        }
        if flags.has(Flags::READONLY) {
            categories = categories.and(Self::READ);
        }
        if flags.has(Flags::ADMIN) {
            categories = categories.and(Self::ADMIN).and(Self::DANGEROUS);
        }
        categories
    }
}

/// Which arguments are keys. The name of the command is argument 0; a negative last counts from the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyPositions {
    pub first: i8,
    pub last: i8,
    pub step: i8,
}

impl KeyPositions {
    pub(super) const NONE: Self = Self { first: 0, last: 0, step: 0 };
    pub(super) const ONE: Self = Self { first: 1, last: 1, step: 1 };
    pub(super) const TWO: Self = Self { first: 1, last: 2, step: 1 };
    pub(super) const ALL: Self = Self { first: 1, last: -1, step: 1 };
    pub(super) const PAIRS: Self = Self { first: 1, last: -1, step: 2 };

    /// The keys of a command whose arguments are of the right number.
    pub fn of(self, arguments: Arguments<'_>) -> impl Iterator<Item = &[u8]> + use<'_> {
        let place = |position: i8| match usize::try_from(position) {
            Ok(position) => position,
            Err(_) => arguments.len().saturating_sub(usize::from(position.unsigned_abs())),
        };
        let keys = if self.first == 0 { 0 } else { (place(self.last) + 1).saturating_sub(place(self.first)) };
        let step = usize::from(self.step.unsigned_abs()).max(1);
        arguments.from(place(self.first)).iter().take(keys).step_by(step)
    }
}
