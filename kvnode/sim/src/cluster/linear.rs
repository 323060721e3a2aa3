//! Whether what clients of one key were told can be put into an order in which one register would have said it, each
//! operation somewhere between its beginning and its end. The search is Wing and Gong's, with a memory of what was tried.

use std::collections::HashSet;

/// One operation on one key. Values are different in all writes of a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operation {
    pub kind: Kind,
    pub began: u64,
    /// None: it is not known what became of it, and it may still take effect.
    pub ended: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Write(u32),
    /// A write of something that is gone by itself after a while, nobody knows exactly when.
    Lend(u32),
    Delete,
    /// What was found.
    Read(Option<u32>),
}

/// Operations of which more are not looked at, so that the search ends. Histories are made to stay below.
pub const OPERATIONS_MAX: usize = 128;

/// What the search may try: more than any history needs that was told by one register, so that it ends.
const TRIED_MAX: usize = 1 << 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Linearizable,
    NotLinearizable,
    /// The search was given up.
    TooHard,
}

pub fn judge(history: &[Operation]) -> Verdict {
    assert!(history.len() <= OPERATIONS_MAX, "a history is short");
    let history = telling(history);
    let must =
        history.iter().enumerate().filter(|(_, one)| one.ended.is_some()).fold(0_u128, |set, (n, _)| set | 1 << n);
    let lent: HashSet<u32> = history
        .iter()
        .filter_map(|one| match one.kind {
            Kind::Lend(value) => Some(value),
            _ => None,
        })
        .collect();
    let mut tried = HashSet::new();
    let mut open = vec![(0_u128, None)];
    while let Some((done, value)) = open.pop() {
        if done & must == must {
            return Verdict::Linearizable;
        }
        if tried.len() == TRIED_MAX {
            return Verdict::TooHard;
        }
        if !tried.insert((done, value)) {
            continue;
        }
        let is_open = |place: usize| done & (1 << place) == 0;
        let rest = || history.iter().enumerate().filter(|(place, _)| is_open(*place));
        let first_end = rest().filter_map(|(_, one)| one.ended).min().unwrap_or(u64::MAX);
        let mut possible: Vec<_> = rest().filter(|(_, one)| one.began <= first_end).collect();
        // A read of what is there can come at once: it changes nothing, and one less has to be placed.
        if let Some((place, _)) = possible.iter().find(|(_, one)| one.kind == Kind::Read(value)) {
            open.push((done | 1 << place, value));
            continue;
        }
        // What has to come first is tried first, so it is laid on top.
        possible.sort_by_key(|(_, one)| std::cmp::Reverse(one.ended.unwrap_or(u64::MAX)));
        if value.is_some_and(|value| lent.contains(&value)) {
            open.push((done, None));
        }
        for (place, one) in possible {
            match one.kind {
                Kind::Write(written) | Kind::Lend(written) => open.push((done | 1 << place, Some(written))),
                Kind::Delete => open.push((done | 1 << place, None)),
                Kind::Read(_) => {}
            }
        }
    }
    Verdict::NotLinearizable
}

/// Without what tells nothing: reads that nobody has heard of, and writes that nobody has heard of or seen, which are as
/// good as not done.
fn telling(history: &[Operation]) -> Vec<Operation> {
    let seen: HashSet<u32> = history
        .iter()
        .filter_map(|one| match one.kind {
            Kind::Read(found) if one.ended.is_some() => found,
            _ => None,
        })
        .collect();
    let tells = |one: &&Operation| match one.kind {
        Kind::Write(value) => one.ended.is_some() || seen.contains(&value),
        // What they leave behind is nothing, and that can be seen.
        Kind::Lend(_) | Kind::Delete => true,
        Kind::Read(_) => one.ended.is_some(),
    };
    history.iter().filter(tells).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_linearizable(history: &[Operation]) -> bool {
        judge(history) == Verdict::Linearizable
    }

    fn write(value: u32, began: u64, ended: impl Into<Option<u64>>) -> Operation {
        Operation { kind: Kind::Write(value), began, ended: ended.into() }
    }

    fn read(found: impl Into<Option<u32>>, began: u64, ended: u64) -> Operation {
        Operation { kind: Kind::Read(found.into()), began, ended: Some(ended) }
    }

    #[test]
    fn what_one_register_could_say_is_linearizable() {
        assert!(is_linearizable(&[]));
        assert!(is_linearizable(&[read(None, 0, 1), write(1, 2, 3), read(1, 4, 5)]));
        assert!(is_linearizable(&[write(1, 0, 9), write(2, 0, 9), read(2, 3, 4), read(1, 5, 6)]), "both at once");
        assert!(is_linearizable(&[write(1, 0, 1), write(2, 2, None), read(1, 3, 4), read(2, 50, 51)]), "late");
        assert!(is_linearizable(&[write(1, 0, 1), write(2, 2, None), read(1, 30, 40)]), "never");
    }

    #[test]
    fn what_is_lent_ends_once_and_what_is_deleted_at_once() {
        let lend = |value, began, ended| Operation { kind: Kind::Lend(value), began, ended: Some(ended) };
        let delete = |began, ended: Option<u64>| Operation { kind: Kind::Delete, began, ended };
        assert!(is_linearizable(&[lend(1, 0, 1), read(1, 2, 3), read(None, 4, 5)]));
        assert!(!is_linearizable(&[lend(1, 0, 1), read(None, 2, 3), read(1, 4, 5)]), "it came back");
        let unknown = Operation { kind: Kind::Lend(2), began: 2, ended: None };
        assert!(is_linearizable(&[write(1, 0, 1), unknown, read(None, 4, 5)]), "it came and went");
        assert!(is_linearizable(&[write(1, 0, 1), delete(2, None), read(1, 3, 4), read(None, 5, 6)]), "late");
        assert!(!is_linearizable(&[write(1, 0, 1), delete(2, Some(3)), read(1, 4, 5)]), "deleted");
        assert!(!is_linearizable(&[write(1, 0, 1), delete(2, None), read(None, 3, 4), read(1, 5, 6)]), "seen as gone");
    }

    #[test]
    fn what_it_could_not_is_not() {
        assert!(!is_linearizable(&[write(1, 0, 1), read(None, 2, 3)]), "lost");
        assert!(!is_linearizable(&[write(1, 0, 1), write(2, 2, 3), read(1, 4, 5)]), "stale");
        assert!(!is_linearizable(&[read(7, 0, 1)]), "never written");
        assert!(!is_linearizable(&[write(2, 2, None), read(2, 3, 4), read(None, 5, 6)]), "seen, and gone");
        assert!(!is_linearizable(&[read(1, 0, 1), write(1, 2, 3)]), "from the future");
    }
}
