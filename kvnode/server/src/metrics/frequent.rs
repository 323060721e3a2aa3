//! The few series of a family that nearly every count belongs to. They are found by a short comparison; a family itself
//! takes a lock, hashes the labels and wants to own them, for each count again.

use std::sync::OnceLock;

use prometheus_client::metrics::counter::Counter;

/// Series that are used often: a handful of operations, each with a handful of ends. Later ones are looked up.
const PLACES: usize = 32;

/// In the order in which they came up first.
#[derive(Debug)]
pub(super) struct Frequent<K>([OnceLock<(K, Counter)>; PLACES]);

impl<K> Default for Frequent<K> {
    fn default() -> Self {
        Self([const { OnceLock::new() }; PLACES])
    }
}

impl<K: Copy + Eq> Frequent<K> {
    /// Counts one more of `key`, whose series the family gives.
    pub(super) fn count(&self, key: K, series: impl Fn() -> Counter) {
        for place in &self.0 {
            let (held, counter) = place.get_or_init(|| (key, series()));
            if *held == key {
                counter.inc();
                return;
            }
        }
        series().inc();
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::metrics::family::Family;

    use super::*;

    #[test]
    fn every_series_is_counted_with_or_without_a_place() {
        type Labels = Vec<(String, String)>;
        let (family, frequent) = (Family::<Labels, Counter>::default(), Frequent::default());
        let labels = |key: usize| vec![("key".to_owned(), key.to_string())];
        for _ in 0..3 {
            for key in 0..PLACES + 5 {
                frequent.count(key, || family.get_or_create(&labels(key)).clone());
            }
        }
        for key in 0..PLACES + 5 {
            assert_eq!(family.get_or_create(&labels(key)).get(), 3, "{key}");
        }
    }
}
