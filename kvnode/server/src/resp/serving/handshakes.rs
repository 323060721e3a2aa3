//! Clients that have yet to agree on TLS with the node. An idle client is welcome for as long as it likes, but not before
//! it is one: whoever connects and says nothing would hold a place and some buffers for ever.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How many are noted before it is looked who of them is still there.
const NOTED_MIN: usize = 1024;

#[derive(Debug)]
pub(super) struct Handshakes {
    /// All have the same time, so the first is the first to be due.
    begun: VecDeque<Begun>,
    time_max: Duration,
    /// With more than this, those that are gone are forgotten: a flood of short connections leaves no trail.
    noted_max: usize,
}

#[derive(Debug)]
struct Begun {
    due: Instant,
    place: usize,
    client: u64,
}

impl Handshakes {
    pub(super) fn within(time_max: Duration) -> Self {
        Self { begun: VecDeque::new(), time_max, noted_max: NOTED_MIN }
    }

    /// `goes_on` tells of a place and a client whether its handshake is still under way. No more are noted than twice as
    /// many as there are of those, and then some.
    pub(super) fn begin(&mut self, place: usize, client: u64, now: Instant, goes_on: impl Fn(usize, u64) -> bool) {
        if self.begun.len() >= self.noted_max {
            self.begun.retain(|begun| goes_on(begun.place, begun.client));
            self.noted_max = NOTED_MIN.max(2 * self.begun.len());
        }
        self.begun.push_back(Begun { due: now + self.time_max, place, client });
    }

    pub(super) fn is_empty(&self) -> bool {
        self.begun.is_empty()
    }

    /// How long until somebody is due.
    pub(super) fn wait(&self, now: Instant) -> Option<Duration> {
        self.begun.front().map(|first| first.due.saturating_duration_since(now))
    }

    /// The place and number of a client whose time is over. Someone else may have the place by now.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<(usize, u64)> {
        let first = self.begun.pop_front_if(|first| first.due <= now)?;
        if self.begun.is_empty() {
            self.begun = VecDeque::new();
        }
        Some((first.place, first.client))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    #[test]
    fn each_is_due_once_and_after_its_time() {
        let start = Clock::default().instant();
        let after = |seconds| start + Duration::from_secs(seconds);
        let mut handshakes = Handshakes::within(Duration::from_secs(10));
        assert_eq!(handshakes.wait(start), None);
        handshakes.begin(1, 11, after(0), |_, _| true);
        handshakes.begin(2, 12, after(3), |_, _| true);
        assert_eq!(handshakes.wait(after(4)), Some(Duration::from_secs(6)));
        assert_eq!(handshakes.take_due(after(9)), None);
        assert_eq!(handshakes.take_due(after(12)), Some((1, 11)));
        assert_eq!(handshakes.take_due(after(12)), None);
        assert_eq!(handshakes.take_due(after(13)), Some((2, 12)));
        assert!(handshakes.is_empty());
    }

    #[test]
    fn those_that_are_gone_leave_no_trail() {
        let now = Clock::default().instant();
        let mut handshakes = Handshakes::within(Duration::from_secs(10));
        for client in 0..100_000 {
            handshakes.begin(0, client, now, |_, client| client < 3);
            assert!(handshakes.begun.len() <= NOTED_MIN);
        }
        let later = now + Duration::from_secs(10);
        assert_eq!([(); 3].map(|()| handshakes.take_due(later)), [0, 1, 2].map(|client| Some((0, client))));
    }
}
