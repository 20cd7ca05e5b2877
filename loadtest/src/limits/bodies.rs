//! The bodies that the load sends, for limits that have no connection: a set in which every body is another one.

use std::num::NonZeroUsize;

use anyhow::Context;
use bytes::Bytes;

use crate::bodies::Compressor;
use crate::load::Load;
use crate::protocol::{Compression, Protocol};

/// Bodies that take turns, or the caches would know what comes.
const ROTATING: u64 = 16;
/// The time of the first body, in milliseconds since the Unix epoch.
const AT_MS: u64 = 1_700_000_000_000;

/// Bodies of one protocol.
pub(super) struct Bodies {
    pub(super) load: Load,
    pub(super) plain: Vec<Vec<u8>>,
}

impl Bodies {
    /// With so many samples each, all of them of the same series.
    pub(super) fn new(protocol: Protocol, batch: usize) -> anyhow::Result<Self> {
        let load = Load {
            protocol,
            batch: NonZeroUsize::new(batch).context("a batch of nothing")?,
            ..Load::default()
        };
        let mut bodies = crate::bodies::Bodies::new(&load);
        let plain = (0..ROTATING).map(|turn| {
            let first = turn * batch as u64;
            bodies.make(0, 0, AT_MS + turn * 15_000, first).to_vec()
        });
        Ok(Self {
            plain: plain.collect(),
            load,
        })
    }

    pub(super) fn batch(&self) -> usize {
        self.load.batch.get()
    }

    /// How many metric names a body has.
    pub(super) fn names(&self) -> usize {
        self.load.names.get().min(self.batch())
    }

    /// What results call these bodies.
    pub(super) fn scenario(&self) -> String {
        format!("{}-{}", self.load.protocol.name(), self.batch())
    }

    /// The largest body's bytes.
    pub(super) fn largest(&self) -> usize {
        self.plain.iter().map(Vec::len).max().unwrap_or(0)
    }

    /// The bodies as senders compress them.
    pub(super) fn compressed(&self, compression: Compression) -> anyhow::Result<Vec<Bytes>> {
        let mut compressor = Compressor::new(compression)?;
        let compressed = self.plain.iter().map(|body| {
            let mut compressed = Vec::new();
            compressor.append(body, &mut compressed)?;
            Ok(Bytes::from(compressed))
        });
        compressed.collect()
    }
}
