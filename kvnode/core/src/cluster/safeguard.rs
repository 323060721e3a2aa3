//! What keeps the protocol safe, by name. A test can do without one of them, to show that it would be missed; a node
//! cannot: there, all of this is nothing.

/// One is left out at a time. Each is described as what is done because of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Safeguard {
    /// A backup hears one primary only, and of it the newest stream only (R7, R10).
    Fencing,
    /// What an answer says of an earlier stream is not taken for one of the newest (R13).
    AnswersOfTheirStream,
    /// A backup takes what comes next, and nothing behind a gap (R10).
    GaplessLog,
    /// Whose removal is proposed is waited for until it is decided (R8).
    ShrinkWaits,
    /// Whose adding is proposed is waited for from then on (R8).
    GrowCounts,
    /// Only whoever has everything is added (R13).
    GrowCaughtUp,
    /// What was proposed is possible until a higher number is known (R4).
    UndecidedKept,
    /// A seal said again changes nothing (R12).
    SealOnce,
    /// A new primary keeps all that it has (R12).
    TailKept,
    /// Whoever hands over serves nothing from then on (R14).
    HandOverPauses,
    /// A hand-over is over when it is decided, not when it has taken long (R14).
    HandOverDecided,
    /// Rows are taken between the records they were read between (R13).
    RowsInOrder,
    /// A store with rows that may not be committed is no copy (R13).
    LoadedIsNoCopy,
    /// A deposed primary's store may have what was never decided (R12).
    DeposedIsNoCopy,
    /// An invitation said again changes nothing (R13).
    InvitedOnce,
    /// A change is good on the number it was made for only (R3).
    NumberOfChange,
    /// A leader's change is good in its own term only (R4).
    TermOfChange,
    /// Only whoever is in sync becomes primary (R12).
    OnlyInSyncLeads,
    /// A primary serves while it holds a lease (R7).
    Lease,
    /// A grantor counts longer than a holder (R5).
    Margin,
    /// A grant is shorter by the age of the leader's last confirmed quorum (R5).
    GrantLessAge,
    /// Who knows less of the configuration than a grant was made with has no use of it (R5).
    LeaseOfConfiguration,
    /// A primaryship is taken when the lease is over (R6).
    TakeWaits,
    /// A new leader waits until its predecessors' leases are over (R6).
    NewLeaderWaits,
    /// Whose primaryships are being taken gets no lease until that is decided (R6).
    NoGrantWhileEvicting,
    /// Who voted in a later term confirms no earlier one (R6).
    QuorumConfirmed,
    /// A leader does nothing before it has applied an entry of its own term (R6).
    OwnEntryFirst,
    /// What is said to one life of a node is not heard by another (R2).
    Incarnation,
    /// What was read is told when it is committed (R9).
    ReadsWait,
    /// What was begun in one epoch is told in no other (R9).
    SameEpoch,
    /// The lease is looked at once more before anything is told (R9).
    LeaseBeforeTelling,
}

impl Safeguard {
    pub const ALL: [Self; 31] = [
        Self::Fencing,
        Self::AnswersOfTheirStream,
        Self::GaplessLog,
        Self::ShrinkWaits,
        Self::GrowCounts,
        Self::GrowCaughtUp,
        Self::UndecidedKept,
        Self::SealOnce,
        Self::TailKept,
        Self::HandOverPauses,
        Self::HandOverDecided,
        Self::RowsInOrder,
        Self::LoadedIsNoCopy,
        Self::DeposedIsNoCopy,
        Self::InvitedOnce,
        Self::NumberOfChange,
        Self::TermOfChange,
        Self::OnlyInSyncLeads,
        Self::Lease,
        Self::Margin,
        Self::GrantLessAge,
        Self::LeaseOfConfiguration,
        Self::TakeWaits,
        Self::NewLeaderWaits,
        Self::NoGrantWhileEvicting,
        Self::QuorumConfirmed,
        Self::OwnEntryFirst,
        Self::Incarnation,
        Self::ReadsWait,
        Self::SameEpoch,
        Self::LeaseBeforeTelling,
    ];

    /// Whether it is in force.
    #[cfg(any(test, feature = "mutants"))]
    pub fn holds(self) -> bool {
        LEFT_OUT.get() != Some(self)
    }

    #[cfg(not(any(test, feature = "mutants")))]
    pub const fn holds(self) -> bool {
        true
    }
}

#[cfg(any(test, feature = "mutants"))]
thread_local! {
    static LEFT_OUT: std::cell::Cell<Option<Safeguard>> = const { std::cell::Cell::new(None) };
}

/// Does it without this safeguard, on this thread.
#[cfg(any(test, feature = "mutants"))]
pub fn without<R>(safeguard: Option<Safeguard>, act: impl FnOnce() -> R) -> R {
    let before = LEFT_OUT.replace(safeguard);
    let result = act();
    LEFT_OUT.set(before);
    result
}
