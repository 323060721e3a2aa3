//! From `OpenMetrics`, which the metrics library writes, to the Prometheus text format, which every scraper and
//! `promtool` read. They differ in one thing here: a counter's name in its TYPE and HELP lines has the `_total`.

use std::collections::BTreeSet;

pub(crate) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

pub(super) fn classic(open_metrics: &str) -> String {
    let counters: BTreeSet<&str> =
        open_metrics.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.strip_suffix(" counter")).collect();
    let mut page = String::with_capacity(open_metrics.len());
    for line in open_metrics.lines().filter(|line| *line != "# EOF") {
        let described = ["# HELP ", "# TYPE "].iter().find_map(|lead| Some((*lead, line.strip_prefix(lead)?)));
        match described.and_then(|(lead, rest)| Some((lead, rest.split_once(' ')?))) {
            Some((lead, (name, rest))) if counters.contains(name) => {
                page.extend([lead, name, "_total ", rest, "\n"]);
            }
            _ => page.extend([line, "\n"]),
        }
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_descriptions_of_counters_change() {
        let open = "# HELP a_b Help.\n# TYPE a_b counter\na_b_total{x=\"# EOF\"} 1\n\
                    # HELP g Help.\n# TYPE g gauge\ng 2\n# EOF\n";
        let expected = "# HELP a_b_total Help.\n# TYPE a_b_total counter\na_b_total{x=\"# EOF\"} 1\n\
                        # HELP g Help.\n# TYPE g gauge\ng 2\n";
        assert_eq!(classic(open), expected);
    }
}
