//! How many sequences are played, and where they begin: `SEEDS` and `SEED_START`.

use std::env;

use anyhow::{Context, Result};

/// What `make test` plays on each port.
const SEEDS: u64 = 60;

/// Long enough for transactions, expiry and errors to meet.
pub(crate) const STEPS: usize = 200;

pub(crate) fn seeds() -> Result<impl ExactSizeIterator<Item = u64>> {
    let start = number("SEED_START", 1)?;
    let count = u32::try_from(number("SEEDS", SEEDS)?).context("SEEDS is out of range")?;
    Ok((0..count).map(move |number| start.wrapping_add(number.into())))
}

fn number(name: &str, default: u64) -> Result<u64> {
    match env::var(name) {
        Ok(text) if !text.is_empty() => text.parse().with_context(|| format!("{name} is no number: {text}")),
        _ => Ok(default),
    }
}
