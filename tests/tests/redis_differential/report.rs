//! Plays one sequence after the other; a difference is told as the steps that lead to it, the two answers, and the one
//! command that repeats it.

use anyhow::{Result, bail};
use kvtenant_tests::progress::Step as Progress;

use crate::generate::{Port, steps};
use crate::play::{Difference, Pair, play};
use crate::seeds::STEPS;
use crate::shrink::shrink;
use crate::step::Step;

const SHOWN_CHARACTERS_MAX: usize = 2000;

/// Fails with the first difference, told in the fewest steps.
pub(crate) fn all_equal(what: &str, pair: Pair, port: Port, seeds: impl ExactSizeIterator<Item = u64>) -> Result<()> {
    let count = seeds.len();
    let progress = Progress::start(format!("{what}: {count} sequences of {STEPS} steps"));
    for seed in seeds {
        progress.note(format!("seed {seed}"));
        if let Some((steps, difference)) = smallest_difference(pair, port, seed)? {
            bail!("{}", told(what, seed, &steps, &difference));
        }
    }
    progress.done("all replies are equal");
    Ok(())
}

pub(crate) fn smallest_difference(pair: Pair, port: Port, seed: u64) -> Result<Option<(Vec<Step>, Difference)>> {
    let steps = steps(seed, STEPS, port);
    play(pair, &steps)?.map(|difference| shrink(pair, port, steps, difference)).transpose()
}

fn told(what: &str, seed: u64, steps: &[Step], difference: &Difference) -> String {
    let mut text = format!("{what}: replies differ\n");
    for (number, step) in steps.iter().enumerate() {
        text += &format!("  {step}\n");
        if number == difference.step {
            break;
        }
    }
    if difference.step >= steps.len() {
        text += "  (afterwards, an answer is left that nobody waits for)\n";
    }
    text + &format!(
        "    redis-server: {}\n    here:         {}\nRepeat it with: make differential SEEDS=1 SEED_START={seed}",
        shortened(&difference.reference),
        shortened(&difference.subject)
    )
}

/// A reply may be as long as a value, and a difference is near its beginning more often than not.
fn shortened(reply: &str) -> String {
    let mut characters = reply.chars();
    let begin: String = characters.by_ref().take(SHOWN_CHARACTERS_MAX).collect();
    match characters.count() {
        0 => begin,
        more => format!("{begin}… and {more} characters more"),
    }
}
