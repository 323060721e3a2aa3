//! Closed vocabularies. A word that reaches a user (a phase, a reason) is a variant here and nothing else, so that
//! documentation, metrics and code cannot drift apart: `ALL` lets a test walk every word.

/// Declares an enum whose variants are written on the wire exactly as they are spelled in the code.
macro_rules! words {
    ($(#[$about:meta])* pub enum $name:ident { $($(#[$says:meta])* $word:ident,)+ }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        pub enum $name { $($(#[$says])* $word,)+ }

        impl $name {
            /// Every word there is.
            pub const ALL: &'static [Self] = &[$(Self::$word,)+];

            /// The word as it appears on objects, in metrics and in logs.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$word => stringify!($word),)+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

pub(crate) use words;
