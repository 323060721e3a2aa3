//! Several figures of one thing as the middle one and the two at the ends. No average and no deviation: with a handful
//! of rounds, one that was disturbed must not move the result, and must not be hidden either.

use std::fmt;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
}

impl Spread {
    /// Of at least one figure.
    pub(crate) fn of(figures: impl IntoIterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = figures.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        let (Some(&least), Some(&most)) = (sorted.first(), sorted.last()) else {
            panic!("a spread of no figures was asked for; there is at least one round");
        };
        let half = sorted.len() / 2;
        let median = if sorted.len() % 2 == 1 { sorted[half] } else { f64::midpoint(sorted[half - 1], sorted[half]) };
        Self { median, least, most }
    }
}

/// `1.23 (1.10–1.30)`, with as many decimals as asked for.
impl fmt::Display for Spread {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decimals = formatter.precision().unwrap_or(2);
        write!(formatter, "{:.decimals$} ({:.decimals$}–{:.decimals$})", self.median, self.least, self.most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_disturbed_round_is_shown_but_does_not_move_the_median() {
        let spread = Spread::of([1.0, 9.0, 1.2, 1.1, 0.9]);
        assert_eq!(spread, Spread { median: 1.1, least: 0.9, most: 9.0 });
        assert_eq!(format!("{spread:.1}"), "1.1 (0.9–9.0)");
    }

    #[test]
    fn of_an_even_number_the_median_lies_between_the_middle_two() {
        assert!((Spread::of([4.0, 1.0, 2.0, 3.0]).median - 2.5).abs() < 1e-9);
    }
}
