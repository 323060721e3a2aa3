//! The order of the runs: each server once, then each again, and so on. The machine changes with time (load, heat,
//! neighbours), and only what ran right after one another is compared: a ratio is made within a round.

use anyhow::Result;
use kvtenant_tests::progress::Step;

use super::machine::{Cores, Places};
use super::sample::Sample;
use super::spread::Spread;

/// A round in which others had more than this of the core is done again.
pub(crate) const OTHERS_MAX: f64 = 0.10;

/// So many rounds of a whole measurement are done again; on a machine that is always busy it must end all the same.
const REPEATS_MAX: usize = 10;

/// Runs before the first round: connections, buffers and branch predictors are then as they stay.
pub(crate) const WARM_UP_SECONDS: u64 = 1;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Placement {
    /// Server and client share a core: the server is never idle, and its time is comparable.
    SharedCore,
    /// The client has a core of its own: the throughput that a user would see.
    CoreEach,
}

impl Placement {
    /// All that this machine allows.
    pub(crate) fn all(cores: Cores) -> Vec<(Self, Places)> {
        let place = |client| Places { server: cores.servers, client };
        let shared = (Self::SharedCore, place(cores.servers));
        let apart = cores.spare.map(|spare| (Self::CoreEach, place(spare)));
        [Some(shared), apart].into_iter().flatten().collect()
    }

    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::SharedCore => "client on the same core",
            Self::CoreEach => "client on another core",
        }
    }
}

/// How many rounds there are, and how often one was done again so far.
#[derive(Debug)]
pub(crate) struct Turns {
    pub(crate) rounds: usize,
    pub(crate) repeats: usize,
}

impl Turns {
    pub(crate) fn new(rounds: usize) -> Self {
        Self { rounds, repeats: 0 }
    }

    /// Runs the subjects, which `run` knows by their index among `names`, in turn until there are enough rounds.
    pub(crate) fn take<S: AsRef<Sample>>(
        &mut self,
        step: &Step,
        names: &[&str],
        mut run: impl FnMut(usize) -> Result<S>,
    ) -> Result<Rounds<S>> {
        let mut kept: Vec<Vec<S>> = Vec::new();
        while kept.len() < self.rounds {
            let mut round = Vec::new();
            for (subject, name) in names.iter().enumerate() {
                step.note(format!("round {} of {}, {name}", kept.len() + 1, self.rounds));
                round.push(run(subject)?);
            }
            if round.iter().any(|sample| sample.as_ref().others > OTHERS_MAX) && self.repeats < REPEATS_MAX {
                self.repeats += 1;
                continue;
            }
            kept.push(round);
        }
        Ok(Rounds(kept))
    }
}

/// All rounds of some subjects under one load: in each round a sample of every subject, and perhaps what else was seen.
#[derive(Debug)]
pub(crate) struct Rounds<S = Sample>(pub(crate) Vec<Vec<S>>);

impl<S: AsRef<Sample>> Rounds<S> {
    /// Of some figure of one subject.
    pub(crate) fn spread(&self, subject: usize, figure: impl Fn(&S) -> f64) -> Spread {
        Spread::of(self.0.iter().map(|round| figure(&round[subject])))
    }

    /// Of one subject's figure divided by another's, round by round.
    pub(crate) fn ratio(&self, subject: usize, peer: usize, figure: impl Fn(&S) -> f64) -> Spread {
        Spread::of(self.0.iter().map(|round| figure(&round[subject]) / figure(&round[peer])))
    }

    pub(crate) fn samples(&self) -> impl Iterator<Item = &Sample> + Clone {
        self.0.iter().flatten().map(AsRef::as_ref)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::sample::made_up;

    #[test]
    fn a_ratio_is_made_within_a_round() {
        let rounds =
            Rounds(vec![vec![made_up(3.0, 0.0), made_up(2.0, 0.0)], vec![made_up(8.0, 0.0), made_up(4.0, 0.0)]]);
        assert_eq!(rounds.ratio(0, 1, |sample| sample.cpu_micros), Spread { median: 1.75, least: 1.5, most: 2.0 });
        assert_eq!(rounds.spread(1, |sample| sample.cpu_micros), Spread { median: 3.0, least: 2.0, most: 4.0 });
    }

    #[test]
    fn a_round_that_others_disturbed_is_done_again_as_a_whole() {
        let step = Step::start("turns");
        let mut turns = Turns::new(2);
        let mut ran = Vec::new();
        let rounds = turns.take(&step, &["ours", "theirs"], |subject| {
            ran.push(subject);
            Ok(made_up(1.0, if ran.len() == 2 { OTHERS_MAX * 2.0 } else { 0.0 }))
        });
        step.done("");
        assert_eq!(rounds.unwrap().0.len(), 2);
        assert_eq!((ran, turns.repeats), (vec![0, 1, 0, 1, 0, 1], 1));
    }

    #[test]
    fn on_a_machine_that_is_always_busy_a_measurement_ends() {
        let step = Step::start("turns");
        let mut turns = Turns::new(1);
        let rounds = turns.take(&step, &["ours"], |_| Ok(made_up(1.0, 1.0)));
        step.done("");
        assert_eq!((rounds.unwrap().0.len(), turns.repeats), (1, REPEATS_MAX));
    }
}
