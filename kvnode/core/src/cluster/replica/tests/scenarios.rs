//! What random lives hardly ever come to.

use super::*;
use crate::cluster::safeguard::without;

/// A primary that is alone, and another that joins it and is ready.
fn with_a_joiner() -> (Group, Member, Member) {
    let mut group = Group::new(2, 1, Settings { min_in_sync: 1, kept_bytes: 1 << 20 });
    let (primary, other) = (member(1), member(2));
    group.lead(PartitionChange::SetJoining(other));
    group.tell_configuration(primary);
    group.write(primary);
    group.flow();
    (group, primary, other)
}

/// Whoever may have been added is waited for until it is known, though it is silent and its adding was given up.
fn give_up_an_adding_that_was_decided() {
    let (mut group, primary, _) = with_a_joiner();
    group.tick(primary);
    assert_eq!(group.proposals.len(), 1, "it is ready");
    group.now += 5000;
    group.act(primary, |replica, now| replica.ticked(now, &|_| true));
    group.write(primary);
    group.decide(0, false);
    group.check();
}

/// What it said before it was put out is not what it has when it joins again.
fn hear_of_an_earlier_stream() {
    let (mut group, primary, other) = with_a_joiner();
    group.tick(primary);
    group.decide(0, false);
    group.tell_configuration(primary);
    group.write(primary);
    group.deliver(0, false);
    // Its word that it has the record comes late.
    let late = group.network.pop().expect("it has answered");
    group.act(primary, |replica, now| replica.ticked(now, &|_| true));
    group.decide(0, false);
    group.lead(PartitionChange::SetJoining(other));
    group.tell_configuration(primary);
    let is_records = |packet: &Packet| matches!(packet.message.word, Word::Records { .. });
    while !group.network.is_empty() {
        if is_records(&group.network[0]) { drop(group.network.remove(0)) } else { group.deliver(0, false) }
    }
    group.network.push(late);
    group.flow();
    group.tick(primary);
    group.proposals.retain(|proposal| matches!(proposal.change, PartitionChange::Add(_)));
    group.decide(0, false);
    group.check();
}

#[test]
fn a_scenario_is_good_with_its_safeguard_and_bad_without() {
    let scenarios: [(Safeguard, fn()); 2] = [
        (Safeguard::UndecidedKept, give_up_an_adding_that_was_decided),
        (Safeguard::AnswersOfTheirStream, hear_of_an_earlier_stream),
    ];
    for (safeguard, scenario) in scenarios {
        scenario();
        let outcome = std::panic::catch_unwind(|| without(Some(safeguard), scenario));
        assert!(outcome.is_err(), "{safeguard:?} is not missed");
    }
}
