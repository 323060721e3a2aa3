//! What all pages under `docs/benchmarks` have in common: what they were taken on, and how quiet it was there.

use std::fmt::Write as _;

use super::machine::Machine;
use super::sample::Sample;
use super::spread::Spread;
use super::turns::OTHERS_MAX;

/// A measurement as text.
#[derive(Debug)]
pub(crate) struct Page {
    /// What is printed.
    pub(crate) tables: String,
    /// What is kept.
    pub(crate) text: String,
}

/// How processor time is counted, for every page that has some.
pub(crate) const PROCESSOR_TIME: &str = "\
- Processor time is what the kernel counted for all threads of the server (`/proc/PID/task/*/schedstat`), in user and
  kernel mode, from before the client starts to after it ended. It includes connecting, and the network's work the
  kernel did while the server ran.";

/// How quiet the machine was.
pub(crate) fn disturbance<'s>(samples: impl Iterator<Item = &'s Sample> + Clone, repeats: usize) -> String {
    let others = Spread::of(samples.clone().map(|sample| sample.others * 100.0));
    let stolen = Spread::of(samples.clone().map(|sample| sample.stolen * 100.0));
    let loud = samples.clone().filter(|sample| sample.others > OTHERS_MAX).count();
    let advice =
        if loud == 0 { "" } else { " Measure on a quiet\nmachine before anything is decided by these figures." };
    format!(
        "While it was measured, other programs took {others:.1} % of the busier core in use, and other virtual machines\n\
         {stolen:.1} %. {repeats} rounds were done again because others took more than {:.0} %; {loud} of the {} runs kept have more.{advice}",
        OTHERS_MAX * 100.0,
        samples.count(),
    )
}

pub(crate) fn machine(machine: &Machine) -> String {
    let kind = if machine.hypervised { "a virtual machine" } else { "a machine" };
    let mut text = format!(
        "Taken on {kind} with {} cores ({}), {} of memory, Linux {}. Versions:\n",
        machine.cores, machine.processor, machine.memory, machine.kernel
    );
    for (name, version) in &machine.versions {
        let _ = write!(text, "\n- {name}: {version}");
    }
    text
}

/// Who is missing from a page, in a paragraph of its own; nothing when nobody is.
pub(crate) fn left_out(sentences: &[String]) -> String {
    if sentences.is_empty() { String::new() } else { format!("\n{}\n", sentences.join(" ")) }
}

/// A difference is only claimed when every round shows it. `what` is what less of is better.
pub(crate) fn verdict(ratio: Spread, ours: &str, peer: &str, what: &str) -> String {
    if ratio.least > 1.0 {
        format!("{ours} needs more {what} than {peer} in every round, {:.2} times as much in the median.", ratio.median)
    } else if ratio.most < 1.0 {
        format!("{ours} needs less {what} than {peer} in every round, {:.2} of it in the median.", ratio.median)
    } else {
        format!("the rounds do not agree on which of {ours} and {peer} needs less {what}.")
    }
}

/// A table in Markdown.
pub(crate) fn table(headings: &[String], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut text = format!("| {} |\n|{}\n", headings.join(" | "), "---|".repeat(headings.len()));
    for row in rows {
        let _ = writeln!(text, "| {} |", row.join(" | "));
    }
    text
}

/// A made-up machine, for tests of pages.
#[cfg(test)]
pub(crate) fn made_up_machine() -> Machine {
    Machine {
        processor: "P".into(),
        cores: 2,
        memory: "1 GiB".into(),
        kernel: "6".into(),
        hypervised: true,
        versions: vec![("wrk", "4".into())],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::sample::made_up;

    fn spread(least: f64, median: f64, most: f64) -> Spread {
        Spread { median, least, most }
    }

    #[test]
    fn a_difference_is_claimed_only_when_every_round_shows_it() {
        let verdict = |ratio| verdict(ratio, "kvnode", "nginx", "processor time");
        assert!(verdict(spread(1.1, 1.5, 1.6)).contains("more processor time than nginx in every round, 1.50"));
        assert!(verdict(spread(0.5, 0.6, 0.9)).contains("less"));
        assert!(verdict(spread(0.9, 1.5, 1.6)).contains("do not agree"));
    }

    #[test]
    fn a_page_says_when_others_were_loud() {
        let samples = [made_up(1.0, 0.0), made_up(1.0, 0.5)];
        assert!(disturbance(samples.iter(), 3).contains("3 rounds were done again"));
        assert!(disturbance(samples.iter(), 0).contains("1 of the 2 runs kept have more. Measure on a quiet"));
        assert!(!disturbance(samples[..1].iter(), 0).contains("quiet"));
    }

    #[test]
    fn a_table_has_as_many_rules_as_headings() {
        let text = table(&["a".to_owned(), "b".to_owned()], [vec!["1".to_owned(), "2".to_owned()]]);
        assert_eq!(text, "| a | b |\n|---|---|\n| 1 | 2 |\n");
    }
}
