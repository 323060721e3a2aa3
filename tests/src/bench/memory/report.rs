//! The figures as text.

use super::{Cost, EXPIRE_AFTER, Findings, VALUE_BYTES, WARM_UP_KEYS};
use crate::bench::page::{self, table};
use crate::bench::redis_benchmark::KEY_BYTES;
use crate::bench::resp_connection::PIPELINE;

/// What a key and its value have of themselves; all beyond is the server's.
const OWN_BYTES: usize = KEY_BYTES + VALUE_BYTES;

/// What is printed.
pub(super) fn tables(findings: &Findings<'_>) -> String {
    format!("Bytes of resident memory for each of {} keys:\n\n{}", findings.keys, costs(&findings.costs))
}

/// What is kept.
pub(super) fn page(findings: &Findings<'_>) -> String {
    let Findings { stores, rounds, keys, .. } = findings;
    format!(
        "# Memory of a key: kvnode beside Valkey and Redis\n
Made by `make bench WORK=memory WRITE=1`; do not edit. {keys} keys of {KEY_BYTES} bytes with values of {VALUE_BYTES} bytes, {OWN_BYTES} together: by so
many bytes a server's resident memory grew for each of them, as median (least–most) of {rounds} servers.
{left_out}
{costs}
## How it was measured\n
- Resident memory is what the kernel says (`VmRSS`), with all that allocators and tables waste, read before and after the
  keys are written. The first {WARM_UP_KEYS} of them are there before and are not counted. Each round has a new server.
- Keys are written in Redis' protocol, {PIPELINE} in a pipeline, and counted by `DBSIZE` afterwards. A time to live is {hours} h.
- Tables double: with more or fewer keys they are fuller or emptier, and a key costs less or more.\n
{machine}\n
## Commands\n
```sh\nmake bench WORK=memory WRITE=1 ROUNDS={rounds} KEYS={keys}\n# which runs, each behind `taskset --cpu-list CORE`:\n{commands}```\n",
        left_out = page::left_out(&stores.left_out),
        costs = costs(&findings.costs),
        hours = EXPIRE_AFTER.as_secs() / 3600,
        machine = page::machine(&findings.machine),
        commands = stores.commands(),
    )
}

fn costs(costs: &[Cost]) -> String {
    let headings = ["server", "**bytes a key**", "beyond key and value", "**with a time to live**", "beyond"];
    #[expect(clippy::cast_precision_loss, reason = "a constant below 100")]
    let beyond = |bytes: f64| format!("{:.0}", bytes - OWN_BYTES as f64);
    let rows = costs.iter().map(|cost| {
        vec![
            cost.store.to_string(),
            format!("**{:.0}**", cost.without_end),
            beyond(cost.without_end.median),
            format!("**{:.0}**", cost.with_end),
            beyond(cost.with_end.median),
        ]
    });
    table(&headings.map(str::to_owned), rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::page::made_up_machine;
    use crate::bench::spread::Spread;
    use crate::bench::stores::{Store, Stores};

    #[test]
    fn a_page_has_every_servers_cost_and_what_of_it_is_its_own() {
        let stores = Stores::made_up(&[Store::Valkey], &["kvnode is left out: it is asleep."]);
        let bytes = |median: f64| Spread { median, least: median - 1.0, most: median + 1.0 };
        let costs = vec![Cost { store: Store::Valkey, without_end: bytes(126.0), with_end: bytes(160.0) }];
        let page = page(&Findings { stores: &stores, machine: made_up_machine(), rounds: 3, keys: 9, costs });
        assert!(page.contains("| Valkey | **126 (125–127)** | 74 | **160 (159–161)** | 108 |"), "{page}");
        assert!(page.contains("kvnode is left out: it is asleep.") && page.contains("KEYS=9"), "{page}");
    }
}
