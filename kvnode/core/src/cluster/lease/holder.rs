//! The side that serves.

use std::collections::VecDeque;

use super::{Grant, Nonce};
use crate::cluster::safeguard::Safeguard;
use crate::time::Uptime;

/// Requests that may still be answered. Whoever hears of none of so many in a row asks in vain.
const ASKED_MAX: usize = 8;

#[derive(Debug, Default)]
pub struct Holder {
    /// When each was sent, oldest first.
    asked: VecDeque<(Nonce, Uptime)>,
    next: u64,
    until: Uptime,
    /// The highest index that any grant has named.
    configuration: u64,
}

impl Holder {
    /// The request is sent at this moment, or later.
    pub fn ask(&mut self, now: Uptime) -> Nonce {
        if self.asked.len() == ASKED_MAX {
            self.asked.pop_front();
        }
        let nonce = Nonce(self.next);
        self.next += 1;
        self.asked.push_back((nonce, now));
        nonce
    }

    /// An answer to a request that was forgotten, or answered before, changes nothing.
    pub fn granted(&mut self, grant: Grant) {
        let Some(place) = self.asked.iter().position(|(nonce, _)| *nonce == grant.nonce) else { return };
        let (_, sent) = self.asked[place];
        // What was asked before is answered by this.
        self.asked.drain(..=place);
        self.until = self.until.max(sent.plus(grant.lasts));
        self.configuration = self.configuration.max(grant.configuration);
    }

    /// Whether it may be used at this moment, by somebody who has applied so much of the configuration.
    pub fn holds(&self, now: Uptime, applied: u64) -> bool {
        (now < self.until || !Safeguard::Lease.holds())
            && (applied >= self.configuration || !Safeguard::LeaseOfConfiguration.holds())
    }

    /// How much of the configuration must be known for it to be used.
    pub fn needs(&self) -> u64 {
        self.configuration
    }

    /// Until when it lasts, if nothing is granted any more.
    pub fn until(&self) -> Uptime {
        self.until
    }
}
