//! A snapshot, made of two readings and of what came in the minute before. Pure.

mod columns;

use std::collections::BTreeMap;

use crate::buckets::Buckets;
use crate::reading::{Counts, Plain, Reading, StoreReading, count};
use crate::shapes::{
    Buffer, Gateway, Partitions, Protocol, Records, Refusal, Requests, Samples, Status, Store,
    StorePartitions, StoreState, Tenant, Use, Waiting,
};
use crate::watched::Watched;

pub(crate) use columns::point;

/// More tenants and refusals are not listed one by one.
const MOST_LISTED: usize = 100;

/// The buffer that is an embedded log.
pub(crate) const LOCAL: &str = "local";

/// What quantiles and means of the last minute are made from.
#[derive(Debug, Clone, Default)]
pub(crate) struct Marks {
    duration: Buckets,
    records: u64,
    record_bytes: f64,
    record_samples: f64,
    writes: BTreeMap<String, Buckets>,
}

impl Marks {
    pub(crate) fn of(reading: &Reading) -> Self {
        let writes = reading.stores.iter();
        Self {
            duration: reading.duration.clone(),
            records: reading.records,
            record_bytes: reading.record_bytes,
            record_samples: reading.record_samples,
            writes: writes
                .map(|(name, store)| (name.clone(), store.write.clone()))
                .collect(),
        }
    }
}

/// What a snapshot is made of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Between<'b> {
    pub(crate) now: &'b Reading,
    /// None for the first reading, which has no rates.
    pub(crate) before: Option<&'b Reading>,
    /// A minute ago, or as long as the process runs.
    pub(crate) minute_ago: &'b Marks,
    pub(crate) seconds: f64,
}

#[expect(clippy::cast_precision_loss, reason = "rates")]
impl Between<'_> {
    /// Per second, in thousandths.
    fn rate(&self, now: u64, before: impl Fn(&Reading) -> u64) -> f64 {
        let Some(reading) = self.before else {
            return 0.0;
        };
        rounded(now.saturating_sub(before(reading)) as f64 / self.seconds)
    }

    fn rate_of(&self, counts: impl Fn(&Reading) -> &Counts, key: &str) -> f64 {
        let at = |reading: &Reading| counts(reading).get(key).copied().unwrap_or_default();
        self.rate(at(self.now), at)
    }

    fn sum_rate(&self, counts: impl Fn(&Reading) -> &Counts) -> f64 {
        let sum = |reading: &Reading| counts(reading).values().sum();
        self.rate(sum(self.now), sum)
    }

    fn rates(&self, numbers: impl Fn(&Reading) -> &Vec<f64>) -> Option<Vec<f64>> {
        let now = numbers(self.now);
        if now.is_empty() {
            return None;
        }
        let before = self.before.map(numbers);
        let rate = |(at, value): (usize, &f64)| match before {
            None => 0.0,
            Some(before) => {
                let earlier = before.get(at).copied().unwrap_or(0.0);
                rounded((value - earlier).max(0.0) / self.seconds)
            }
        };
        Some(now.iter().enumerate().map(rate).collect())
    }

    pub(crate) fn gateway(&self) -> Gateway {
        let now = self.now;
        let minute = self.minute_ago;
        let duration = now.duration.since(&minute.duration);
        let samples = now.record_samples - minute.record_samples;
        let records = now.records.saturating_sub(minute.records) as f64;
        let mean = |sum: f64, of: f64| (of > 0.0).then(|| rounded(sum / of));
        let bytes = |reading: &Reading| count(reading.record_bytes);
        Gateway {
            mode: now.mode.clone().unwrap_or_else(|| "normal".to_owned()),
            samples: Samples {
                received: now.received.values().sum(),
                accepted: now.accepted_samples(),
                rejected: now.rejected.values().sum(),
                received_per_s: self.sum_rate(|reading| &reading.received),
                accepted_per_s: self.sum_rate(|reading| &reading.accepted),
                rejected_per_s: self.sum_rate(|reading| &reading.rejected),
            },
            protocols: self.protocols(),
            tenants: most(&now.tenants)
                .map(|(tenant, samples)| Tenant {
                    tenant: tenant.to_owned(),
                    samples,
                    samples_per_s: self.rate_of(|reading| &reading.tenants, tenant),
                })
                .collect(),
            refusals: most(&now.refusals)
                .map(|(code, samples)| Refusal {
                    code: code.to_owned(),
                    samples,
                    samples_per_s: self.rate_of(|reading| &reading.refusals, code),
                })
                .collect(),
            requests: Requests {
                total: now.statuses.values().sum(),
                per_s: self.sum_rate(|reading| &reading.statuses),
                statuses: self.statuses(),
                p50_s: duration.quantile(0.5).map(fine),
                p99_s: duration.quantile(0.99).map(fine),
            },
            records: Records {
                total: now.records,
                per_s: self.rate(now.records, |reading| reading.records),
                bytes_per_s: self.rate(bytes(now), bytes),
                bytes_per_sample: mean(now.record_bytes - minute.record_bytes, samples),
                samples_per_record: mean(samples, records),
            },
            in_flight: Use {
                used_bytes: now.plain(Plain::InFlight).unwrap_or(0.0),
                limit_bytes: now.plain(Plain::InFlightLimit).unwrap_or(0.0),
            },
            active_series: now.plain(Plain::ActiveSeries).map(count),
        }
    }

    fn protocols(&self) -> Vec<Protocol> {
        let protocols = most(&self.now.received);
        let of = |counts: &Counts, protocol: &str| counts.get(protocol).copied().unwrap_or(0);
        protocols
            .map(|(protocol, received)| Protocol {
                protocol: protocol.to_owned(),
                samples: Samples {
                    received,
                    accepted: of(&self.now.accepted, protocol),
                    rejected: of(&self.now.rejected, protocol),
                    received_per_s: self.rate_of(|reading| &reading.received, protocol),
                    accepted_per_s: self.rate_of(|reading| &reading.accepted, protocol),
                    rejected_per_s: self.rate_of(|reading| &reading.rejected, protocol),
                },
            })
            .collect()
    }

    fn statuses(&self) -> Vec<Status> {
        let statuses = self.now.statuses.iter();
        statuses
            .map(|(status, total)| Status {
                status: status.clone(),
                total: *total,
                per_s: self.rate_of(|reading| &reading.statuses, status),
            })
            .collect()
    }

    pub(crate) fn partitions(&self, has_stores: bool) -> Option<Partitions> {
        let now = self.now;
        let stores = || now.stores.iter();
        let of_stores =
            stores().filter_map(|(_, store)| Some(store.partitions.last_key_value()?.0 + 1));
        let count = of_stores.max().unwrap_or(0).max(now.partition_bytes.len());
        if count == 0 {
            return None;
        }
        let columns = |(name, store): (&String, &StoreReading)| {
            let column = |value: fn(&crate::reading::Lag) -> f64| {
                let mut column = vec![None; count];
                for (number, lag) in store.here() {
                    if let Some(place) = column.get_mut(number) {
                        *place = known(value(lag)).map(rounded);
                    }
                }
                column
            };
            StorePartitions {
                store: name.clone(),
                lag_records: column(|lag| lag.records),
                lag_s: column(|lag| lag.seconds),
                headroom_s: column(|lag| lag.headroom_s),
            }
        };
        let bytes_per_s = self.rates(|reading| &reading.partition_bytes);
        Some(Partitions {
            count,
            skew: now.plain(Plain::Skew).filter(|_| bytes_per_s.is_some()),
            bytes_per_s,
            samples_per_s: self.rates(|reading| &reading.partition_samples),
            stores: has_stores.then(|| stores().map(columns).collect()),
        })
    }

    pub(crate) fn store(&self, name: &str, watched: &Watched) -> Store {
        let none = StoreReading::default();
        let now = self.now.stores.get(name).unwrap_or(&none);
        let rate = |number: fn(&StoreReading) -> u64| {
            self.rate(number(now), |reading| {
                reading.stores.get(name).map_or(0, number)
            })
        };
        let no_writes = Buckets::default();
        let minute_ago = self.minute_ago.writes.get(name).unwrap_or(&no_writes);
        let writes = now.write.since(minute_ago);
        let here = || now.here().map(|(_, lag)| lag);
        let partitions = here().count();
        let state = match partitions {
            0 => StoreState::Starting,
            _ if watched.is_failing() => StoreState::Retrying,
            _ if now.is_paused => StoreState::Behind,
            _ => StoreState::Ok,
        };
        let ages = here().filter_map(|lag| known(lag.seconds));
        let headrooms = here().filter_map(|lag| known(lag.headroom_s));
        Store {
            name: name.to_owned(),
            kind: watched.kind().to_owned(),
            state,
            consumed: now.consumed,
            consumed_per_s: rate(|store| store.consumed),
            written: now.written,
            written_per_s: rate(|store| store.written),
            dead_lettered: now.dead_lettered,
            records_dead_lettered: now.records_dead_lettered,
            skipped: now.returned + now.left_out,
            retries: now.retries,
            retries_per_s: rate(|store| store.retries),
            write_p50_s: writes.quantile(0.5).map(fine),
            write_p99_s: writes.quantile(0.99).map(fine),
            lag_records: here().map(|lag| count(lag.records)).sum(),
            lag_s: ages.reduce(f64::max).map(rounded),
            headroom_s: headrooms.reduce(f64::min).map(rounded),
            partitions,
            memory: Use {
                used_bytes: now.memory_bytes,
                limit_bytes: now.memory_limit_bytes,
            },
            written_at_ms: watched.written_at_ms(),
            last_error: watched.last_error(),
        }
    }

    /// What waits; `kind` is that of the buffer.
    pub(crate) fn buffer(&self, kind: &str, retention_s: f64) -> Buffer {
        let plain = |what| self.now.plain(what);
        let use_of = |used, limit| {
            Some(Use {
                used_bytes: plain(used)?,
                limit_bytes: plain(limit)?,
            })
        };
        let waiting = |used, limit, oldest, records: Option<Plain>| {
            Some(Waiting {
                used_bytes: plain(used)?,
                limit_bytes: plain(limit)?,
                oldest_s: plain(oldest).unwrap_or(0.0),
                records: records.and_then(plain).map(count),
            })
        };
        Buffer {
            kind: kind.to_owned(),
            retention_s,
            queue: use_of(Plain::QueueBytes, Plain::QueueLimit),
            spool: waiting(
                Plain::SpoolBytes,
                Plain::SpoolLimit,
                Plain::SpoolOldest,
                Some(Plain::SpoolRecords),
            ),
            // The spool is a log of its own kind.
            log: waiting(Plain::LogBytes, Plain::LogLimit, Plain::LogOldest, None)
                .filter(|_| kind == LOCAL),
        }
    }

    /// Quantiles of what was answered since the reading before.
    fn latency(&self, part: f64) -> Option<f64> {
        let before = self.before?;
        let since = self.now.duration.since(&before.duration);
        since.quantile(part).map(fine)
    }
}

/// The largest first, of those as many as are listed.
fn most(counts: &Counts) -> impl Iterator<Item = (&str, u64)> {
    let mut all: Vec<_> = counts
        .iter()
        .map(|(key, count)| (key.as_str(), *count))
        .collect();
    all.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    all.into_iter().take(MOST_LISTED)
}

fn known(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

/// Times in microseconds.
fn fine(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

/// In thousandths: more is noise, and takes room.
pub(crate) fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests;
