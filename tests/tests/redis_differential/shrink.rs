//! The fewest steps that still differ, found by leaving out more and more of them.

use std::time::Duration;

use anyhow::Result;
use kvtenant_tests::clock::Stopwatch;

use crate::asked::asked;
use crate::generate::Port;
use crate::play::{Difference, Pair, play};
use crate::step::Step;

/// A person waits for it.
const SHRINK_WITHIN: Duration = Duration::from_secs(60);

/// `difference` is what `steps` led to.
pub(crate) fn shrink(
    pair: Pair,
    port: Port,
    mut steps: Vec<Step>,
    difference: Difference,
) -> Result<(Vec<Step>, Difference)> {
    let watch = Stopwatch::start();
    // What comes after it had no part in it.
    steps.truncate(difference.step + 1);
    let mut found = difference;
    let mut length = steps.len() / 2;
    while length > 0 {
        let before = steps.len();
        let mut start = 0;
        while start < steps.len() {
            if watch.elapsed() > SHRINK_WITHIN {
                return Ok((steps, found));
            }
            let end = (start + length).min(steps.len());
            // Without an EXEC, what comes after it would be collected.
            let without = asked(port, [&steps[..start], &steps[end..]].concat());
            match play(pair, &without)? {
                Some(difference) => {
                    steps = without;
                    steps.truncate(difference.step + 1);
                    found = difference;
                }
                None => start = end,
            }
        }
        // Single steps are tried again as long as that helps.
        if length > 1 || steps.len() == before {
            length /= 2;
        }
    }
    apart(pair, steps, found)
}

/// One after the other, if it differs then, too.
fn apart(pair: Pair, steps: Vec<Step>, found: Difference) -> Result<(Vec<Step>, Difference)> {
    let single: Vec<Step> = steps.iter().map(|step| Step { joined: false, ..step.clone() }).collect();
    Ok(match play(pair, &single)? {
        Some(difference) => (single, difference),
        None => (steps, found),
    })
}
