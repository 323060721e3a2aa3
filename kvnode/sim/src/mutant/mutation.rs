//! The list of defects.

use std::str::FromStr;

macro_rules! mutations {
    ($($(#[$words:meta])* $name:ident,)*) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Mutation {
            $($(#[$words])* $name,)*
        }

        impl Mutation {
            pub const ALL: &[Self] = &[$(Self::$name),*];
        }
    };
}

mutations! {
    /// Every write answers with the version it replaced.
    VersionStandsStill,
    /// A key made again starts at 1, as if its tombstone had never been.
    TombstoneForgotten,
    /// After a flush, keys start at 1 again.
    FlushForgetsTheFloor,
    /// A flush leaves the entry that was written last.
    FlushLeavesAnEntry,
    /// A get still finds the entry it found last, when that has expired since.
    ExpiredStillReadable,
    /// A list shows the last key that was deleted.
    DeletedStillListed,
    /// A list leaves out the last key of a page.
    ListForgetsAKey,
    /// A list has its keys in the wrong order.
    ListOutOfOrder,
    /// A page ends between two keys of one place.
    PageCutsAPlace,
    /// Keys are sorted whatever their tags.
    TagsIgnored,
    /// A sorted page begins at the first key.
    SkipIgnored,
    /// A count is one too high when there is anything to count.
    CountOffByOne,
    /// A condition that does not hold is not noticed.
    ConditionIgnored,
    /// A refused write is done all the same.
    RefusedWriteDone,
    /// A write is acknowledged and then lost.
    WriteLost,
    /// A write that keeps the expiry takes it away.
    KeepDropsTheTtl,
    /// A write that keeps the tags takes them away.
    KeepDropsTheTags,
    /// A moment that is over makes an entry that lives for ever.
    PastMomentIgnored,
    /// What is put back has the version that it had, though its key has gone on.
    PutBackGoesBack,
    /// What is put back takes the place of what is newer.
    PutBackReplacesNewer,
    /// Increments add one more.
    IncrementOffByOne,
    /// What is written over something begins one byte too late.
    OverwriteOffByOne,
    /// What is appended comes twice.
    AppendedTwice,
    /// The content from before is the one from now.
    PreviousIsPresent,
    /// A get of an account that finds nothing looks among the tenant's own keys.
    AccountSeesAnothersKey,
    /// A write of an account is done for another one, too.
    WriteReachesAnotherAccount,
    /// The most recently used entry is evicted.
    EvictsTheMostUsed,
    /// The entry is evicted that expires last.
    EvictsTheLastToExpire,
    /// An entry of the node itself is evicted.
    EvictsSystemKeys,
    /// Something is evicted though there is room.
    EvictsWithoutNeed,
    /// A write is refused though something could go.
    RefusesInPlaceOfEvicting,
    /// A retry is done as if it were the first attempt.
    RetryDoneTwice,
    /// Another request with the same idempotency key gets the answer of the first.
    KeyReusedUnnoticed,
    /// An answer is kept for ever.
    AnswerKeptForEver,
    /// The answer of a refused write is kept, too.
    RefusalKept,
    /// An account may have one key more than its quota.
    QuotaOffByOne,
    /// What ends by a delete, by its time or for others is not recorded.
    EndNotRecorded,
    /// A flush is not recorded.
    FlushNotRecorded,
    /// That a tombstone was forgotten is not recorded.
    ForgettingNotRecorded,
    /// A record does not have the answer of its write.
    AnswerNotRecorded,
    /// A snapshot leaves out a row.
    SnapshotSkipsARow,
    /// The figure for used memory is one byte off.
    BytesDrift,
    /// A tombstone's bytes are not counted.
    TombstoneNotCounted,
    /// More memory is used than allowed.
    LimitIgnored,
}

impl Mutation {
    /// As it is written on the command line: `list-forgets-a-key`.
    pub fn name(self) -> String {
        let mut name = String::new();
        for character in format!("{self:?}").chars() {
            if character.is_ascii_uppercase() && !name.is_empty() {
                name.push('-');
            }
            name.push(character.to_ascii_lowercase());
        }
        name
    }
}

impl FromStr for Mutation {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.iter().copied().find(|mutation| mutation.name() == text).ok_or_else(|| {
            let names: Vec<String> = Self::ALL.iter().map(|mutation| mutation.name()).collect();
            format!("there is no mutant '{text}'; there are: {}", names.join(", "))
        })
    }
}
