//! Columns for people: as wide as what stands in them.

use std::io::Write;

use super::failure::Failure;

/// Two spaces, so that words within a cell and cells can be told apart.
const BETWEEN: &str = "  ";

#[derive(Debug)]
pub(super) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(super) fn new(head: &[&str]) -> Self {
        Self { rows: vec![head.iter().map(|&name| name.to_owned()).collect()] }
    }

    /// Without a head: names and what belongs to them.
    pub(super) fn of_pairs() -> Self {
        Self { rows: Vec::new() }
    }

    pub(super) fn row<T: ToString>(&mut self, cells: impl IntoIterator<Item = T>) {
        self.rows.push(cells.into_iter().map(|cell| cell.to_string()).collect());
    }

    pub(super) fn print(&self, out: &mut impl Write) -> Result<(), Failure> {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            self.rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        for row in &self.rows {
            let cells = row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:width$}"));
            writeln!(out, "{}", cells.collect::<Vec<_>>().join(BETWEEN).trim_end())?;
        }
        Ok(())
    }
}

/// Bytes as people say them.
pub(super) fn bytes(number: u64) -> String {
    const UNITS: [&str; 6] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
    let unit = (number.max(1).ilog2() / 10).min(5);
    if unit == 0 {
        return format!("{number} B");
    }
    let tenths = (u128::from(number) * 10) >> (10 * unit);
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit as usize])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut table = Table::new(&["NAME", "STATE"]);
        table.row(["größer", "ready"]);
        table.row(["n", "gone"]);
        let mut text = Vec::new();
        table.print(&mut text).expect("memory takes it");
        assert_eq!(String::from_utf8(text).expect("UTF-8"), "NAME    STATE\ngrößer  ready\nn       gone\n");
    }

    #[test]
    fn bytes_are_said_in_the_unit_that_fits() {
        for (number, said) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (1536, "1.5 KiB"),
            (67_108_864, "64.0 MiB"),
            (u64::MAX, "16383.9 PiB"),
        ] {
            assert_eq!(bytes(number), said);
        }
    }
}
