//! Which series a body's samples are of, and how bodies take turns through all series.
//!
//! Nothing is stored per series: a body has slots for metric names and hosts, and numbers are
//! written into the slots. So ten million series cost as little memory as a thousand.

use crate::load::Load;

/// A body's slots, and which of them each sample has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Layout {
    /// Numbers of the names' slots, before the offset of a turn.
    pub names: Vec<u64>,
    /// Slots of hosts.
    pub hosts: u32,
    /// Slots of name and host per sample, grouped by neither or by host.
    pub samples: Vec<(u32, u32)>,
}

impl Layout {
    /// The names' slots.
    pub(super) fn name_slots(&self) -> std::ops::Range<u32> {
        0..slot(self.names.len() as u64)
    }
}

/// All series, and the part of them that one body has.
#[derive(Debug, Clone)]
pub(crate) struct Space {
    batch: usize,
    names: u64,
    hosts: u64,
    /// Names and hosts of one body.
    names_at_once: u64,
    hosts_at_once: u64,
    connections: u64,
    /// Shares of the names from the first on, added up, if they are not chosen evenly.
    shares: Option<Vec<f64>>,
    draws: u64,
}

impl Space {
    pub(crate) fn new(load: &Load) -> Self {
        let (batch, names) = (load.batch.get() as u64, load.names.get() as u64);
        let connections = load.connections.get() as u64;
        let names_at_once = names.min(batch);
        let hosts_at_once = batch.div_ceil(names_at_once);
        Self {
            batch: load.batch.get(),
            names,
            hosts: load.series().div_ceil(names).max(hosts_at_once),
            names_at_once,
            hosts_at_once,
            connections,
            shares: load.zipf.map(|exponent| shares(names, exponent)),
            draws: 0,
        }
    }

    /// How many series there are in all.
    #[cfg(test)]
    pub(super) fn series(&self) -> u64 {
        self.names * self.hosts
    }

    /// Whether bodies are laid out anew now and then, because their names are drawn.
    pub(crate) fn is_drawn(&self) -> bool {
        self.shares.is_some()
    }

    /// A body's layout.
    pub(crate) fn layout(&mut self) -> Layout {
        let Some(shares) = self.shares.take() else {
            let samples = (0..self.batch as u64).map(|sample| {
                (
                    slot(sample % self.names_at_once),
                    slot(sample / self.names_at_once),
                )
            });
            return Layout {
                names: (0..self.names_at_once).collect(),
                hosts: slot(self.hosts_at_once),
                samples: samples.collect(),
            };
        };
        let mut layout = Layout {
            names: Vec::new(),
            hosts: 0,
            samples: Vec::with_capacity(self.batch),
        };
        // A name's slot, and how often it was drawn: as many hosts have it.
        let mut drawn = std::collections::BTreeMap::new();
        for _ in 0..self.batch {
            let at = self.draw();
            let name = shares.partition_point(|share| *share < at) as u64;
            let name = name.min(self.names - 1);
            let (name_slot, times) = drawn.entry(name).or_insert_with(|| {
                layout.names.push(name);
                (slot(layout.names.len() as u64 - 1), 0)
            });
            layout.samples.push((*name_slot, *times));
            *times += 1;
            layout.hosts = layout.hosts.max(*times);
        }
        self.shares = Some(shares);
        layout
    }

    /// Where names and hosts start in a connection's body, counted from 0.
    pub(crate) fn offsets(&self, connection: u64, body: u64) -> (u64, u64) {
        if self.is_drawn() {
            return (0, connection + body * self.connections);
        }
        let name_blocks = self.names.div_ceil(self.names_at_once);
        let blocks = name_blocks * self.hosts.div_ceil(self.hosts_at_once);
        let block = (connection + body * self.connections) % blocks;
        (
            block % name_blocks * self.names_at_once,
            block / name_blocks * self.hosts_at_once,
        )
    }

    /// The number of a name that starts at an offset.
    pub(crate) fn name(&self, number: u64) -> u64 {
        number % self.names
    }

    /// The number of a host that starts at an offset.
    pub(crate) fn host(&self, number: u64) -> u64 {
        number % self.hosts
    }

    /// Evenly between 0 and 1, the same in each run (splitmix64).
    fn draw(&mut self) -> f64 {
        self.draws = self.draws.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.draws;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (bits ^ (bits >> 31)) as f64 / u64::MAX as f64
    }
}

fn slot(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn shares(names: u64, exponent: f64) -> Vec<f64> {
    let mut sum = 0.0;
    let mut shares: Vec<f64> = (1..=names)
        .map(|rank| {
            sum += (rank as f64).powf(-exponent);
            sum
        })
        .collect();
    for share in &mut shares {
        *share /= sum;
    }
    shares
}
