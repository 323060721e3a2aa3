use proptest::prelude::*;

use super::*;
use crate::cluster::member::{Incarnation, Member, NodeId};
use crate::time::Uptime;

const MEMBER: Member = Member { node: NodeId::new(1), incarnation: Incarnation::new(4) };
const NEWER: Member = Member { node: NodeId::new(1), incarnation: Incarnation::new(5) };

fn at(milliseconds: u64) -> Uptime {
    Uptime::new(milliseconds)
}

fn leader() -> Grantor {
    let mut grantor = Grantor::elected_at(at(0));
    grantor.applied_own_entry();
    grantor.confirmed_since(at(0));
    grantor
}

fn grant(grantor: &mut Grantor, nonce: Nonce, now: u64) -> Result<Grant, NoGrant> {
    grantor.grant(nonce, MEMBER, Some(MEMBER), 7, at(now))
}

#[test]
fn a_lease_counts_from_when_it_was_asked_for() {
    let (mut holder, mut grantor) = (Holder::default(), leader());
    let nonce = holder.ask(at(100));
    let grant = grant(&mut grantor, nonce, 300).expect("a good leader");
    assert_eq!(grant.lasts, Duration::from_millis(700), "the majority is known to be there as of 0");
    holder.granted(grant);
    assert_eq!(holder.until(), at(800));
    assert!(holder.holds(at(799), 7) && !holder.holds(at(800), 7));
    assert!(!holder.holds(at(500), 6), "it does not know yet what it may do");
}

#[test]
fn an_answer_counts_once_and_an_old_one_not_at_all() {
    let (mut holder, mut grantor) = (Holder::default(), leader());
    let first = holder.ask(at(0));
    let second = holder.ask(at(100));
    let late = grant(&mut grantor, first, 100).expect("a good leader");
    let grant = grant(&mut grantor, second, 100).expect("a good leader");
    holder.granted(grant);
    holder.granted(late);
    assert_eq!(holder.until(), at(1000));
    for _ in 0..20 {
        holder.ask(at(5000));
    }
    holder.granted(Grant { nonce: second, ..grant });
    assert_eq!(holder.until(), at(1000));
}

#[test]
fn a_leader_grants_nothing_while_it_may_not_be_one() {
    let mut grantor = Grantor::elected_at(at(0));
    let nonce = Holder::default().ask(at(0));
    grantor.confirmed_since(at(0));
    assert_eq!(grant(&mut grantor, nonce, 1), Err(NoGrant::NotUpToDate));
    grantor.applied_own_entry();
    assert!(grant(&mut grantor, nonce, 500).is_ok());
    assert_eq!(grant(&mut grantor, nonce, 501), Err(NoGrant::QuorumNotConfirmed));
    grantor.confirmed_since(at(450));
    grantor.confirmed_since(at(100));
    assert!(grant(&mut grantor, nonce, 900).is_ok(), "an older round says nothing");
    assert_eq!(grantor.grant(nonce, MEMBER, Some(NEWER), 7, at(900)), Err(NoGrant::NotRegistered));
    grantor.evicting(MEMBER.node);
    assert_eq!(grant(&mut grantor, nonce, 900), Err(NoGrant::Evicting));
    grantor.decided(MEMBER.node);
    assert!(grant(&mut grantor, nonce, 900).is_ok());
}

#[test]
fn a_primaryship_is_taken_when_every_lease_is_over_or_its_life_is() {
    let mut grantor = leader();
    let nonce = Holder::default().ask(at(0));
    grant(&mut grantor, nonce, 200).expect("a good leader");
    grantor.confirmed_since(at(1000));
    assert!(!grantor.may_take_from(MEMBER, None, at(1049)), "booked until 200 + 800 + 50");
    assert!(grantor.may_take_from(MEMBER, None, at(1050)));
    assert!(grantor.may_take_from(MEMBER, Some(NEWER), at(1000)), "another life has spoken");
    assert!(!grantor.may_take_from(NEWER, Some(MEMBER), at(1000)));
    let other = Member { node: NodeId::new(2), ..NEWER };
    assert!(!grantor.may_take_from(MEMBER, Some(other), at(1000)));
    assert!(!grantor.may_take_from(MEMBER, None, at(1501)), "it may no longer be the leader");
}

/// A clock that goes too fast or too slow, in thousandths.
#[derive(Clone, Copy, Debug)]
struct Pace(u64);

impl Pace {
    fn tells(self, real_microseconds: u64) -> Uptime {
        Uptime::new(real_microseconds * self.0 / 1_000_000)
    }
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Ask,
    /// The leader reads the request that was sent so many before the last.
    Answer(usize),
    Deliver(usize),
    Confirm,
}

fn any_step() -> impl Strategy<Value = (u64, Step)> {
    let step = prop_oneof![
        Just(Step::Ask),
        (0_usize..3).prop_map(Step::Answer),
        (0_usize..3).prop_map(Step::Deliver),
        Just(Step::Confirm),
    ];
    (0_u64..400_000, step)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// I3, I15: whatever is delayed, and whatever pace the clocks have.
    #[test]
    fn nothing_is_taken_from_whoever_still_holds_a_lease(
        steps in prop::collection::vec(any_step(), 1..60),
        holders in (980_u64..=1020).prop_map(Pace),
        leaders in (980_u64..=1020).prop_map(Pace),
        elected in 0_u64..3_000_000,
    ) {
        let (mut holder, mut earlier, mut later) = (Holder::default(), leader(), None::<Grantor>);
        let (mut real, mut asked, mut granted) = (0, Vec::new(), Vec::new());
        for (passed, step) in steps {
            real += passed;
            let now = leaders.tells(real);
            // The earlier leader goes on granting for as long as it believes in its majority.
            if later.is_none() && real >= elected {
                let mut grantor = Grantor::elected_at(now);
                grantor.applied_own_entry();
                later = Some(grantor);
            }
            match step {
                Step::Ask => asked.push(holder.ask(holders.tells(real))),
                Step::Answer(back) => {
                    if let Some(&nonce) = asked.iter().rev().nth(back) {
                        for grantor in [Some(&mut earlier), later.as_mut()].into_iter().flatten() {
                            granted.extend(grantor.grant(nonce, MEMBER, Some(MEMBER), 1, now));
                        }
                    }
                }
                Step::Deliver(back) => {
                    if let Some(&grant) = granted.iter().rev().nth(back) {
                        holder.granted(grant);
                    }
                }
                // There is one majority, and it follows the later leader once there is one.
                Step::Confirm => later.as_mut().unwrap_or(&mut earlier).confirmed_since(now),
            }
            let decider = later.as_ref().unwrap_or(&earlier);
            if decider.may_take_from(MEMBER, None, now) {
                prop_assert!(!holder.holds(holders.tells(real), 1), "held at {real} µs");
            }
        }
    }
}
