//! Batches as compressed requests, in memory that the batches before them have used.

use std::slice;
use std::sync::{Mutex, PoisonError};

use codec::remote_write::{Encoder, NameEscaping, Version as Wire};
use codec::snappy::Compressor;
use model::SeriesView;

use super::config::{Config, Names, Version};
use crate::bound::Bound;
use crate::write::Parts;
use crate::{Batch, WriteError};

/// A batch as a request.
pub(super) struct Encoded {
    /// Compressed; none when the version of the protocol has no place for anything in the batch.
    pub(super) body: Option<Vec<u8>>,
    /// Exemplars that the version has no place for.
    pub(super) dropped: usize,
}

#[derive(Debug)]
struct Tools {
    encoder: Encoder,
    compressor: Compressor,
}

/// Encoders for as many batches at once as there have ever been.
#[derive(Debug)]
pub(super) struct Encoders {
    version: Wire,
    names: NameEscaping,
    idle: Mutex<Vec<Tools>>,
}

impl Encoders {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            version: match config.version {
                Version::V1 => Wire::V1,
                Version::V2 => Wire::V2,
            },
            names: match config.names {
                Names::Utf8 => NameEscaping::Utf8,
                Names::Underscores => NameEscaping::Underscores,
            },
            idle: Mutex::default(),
        }
    }

    /// # Errors
    /// `too_large` when the labels would be too many bytes, which a record of another producer can be made for. Version
    /// 2.0 has each text once.
    pub(super) fn encode(&self, batch: &Batch) -> Result<Encoded, WriteError> {
        let mut labels = LabelBytes::of(batch);
        let mut tools = self.take();
        let encoder = &mut tools.encoder;
        for item in &batch.items {
            // Nearly all of them.
            if let Some((view, point)) = item.plain()
                && (self.version == Wire::V2 || labels.takes(view))
            {
                if !encoder.push_plain(view, point, self.names) {
                    encoder.push(view, slice::from_ref(point), &[], false, self.names);
                }
                continue;
            }
            let parts = item.parts();
            if self.version == Wire::V1 {
                labels.check(&parts)?;
            }
            encoder.push(
                parts.view,
                parts.points,
                parts.histograms,
                !parts.exemplars.is_empty(),
                self.names,
            );
        }
        let dropped = match self.version {
            Wire::V1 => 0,
            Wire::V2 => encoder.drop_lone_exemplars(),
        };
        let is_empty = self.version == Wire::V2 && encoder.samples() == 0;
        let body = encoder.finish_compressed(&mut tools.compressor);
        self.give_back(tools);
        let body = (!is_empty).then_some(body);
        Ok(Encoded { body, dropped })
    }

    fn take(&self) -> Tools {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.pop().unwrap_or_else(|| Tools {
            encoder: Encoder::for_compression(self.version),
            compressor: Compressor::default(),
        })
    }

    fn give_back(&self, tools: Tools) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.push(tools);
    }
}

/// What the labels of a batch become when each is written out.
struct LabelBytes {
    bound: Bound,
    /// Of the items that were counted.
    bytes: usize,
    /// What those may be that were not, at most. Counting costs more than anything else about a plain series, and this is
    /// enough to know of nearly all batches.
    uncounted_bytes: usize,
}

impl LabelBytes {
    fn of(batch: &Batch) -> Self {
        Self {
            bound: Bound::of(batch),
            bytes: 0,
            uncounted_bytes: 0,
        }
    }

    /// Whether there is room for the labels of a series without counting them; then they are taken.
    #[inline(always)]
    fn takes(&mut self, view: SeriesView<'_>) -> bool {
        let uncounted_bytes = self.uncounted_bytes + view.most_label_bytes();
        let takes = self.bound.takes(uncounted_bytes);
        if takes {
            self.uncounted_bytes = uncounted_bytes;
        }
        takes
    }

    #[inline]
    fn check(&mut self, parts: &Parts<'_>) -> Result<(), WriteError> {
        let view = parts.view;
        if parts.exemplars.is_empty() && self.takes(view) {
            return Ok(());
        }
        let exemplars = parts.exemplars.iter();
        let exemplars = exemplars.map(|exemplar| view.exemplar_label_bytes(exemplar));
        self.bytes += view.label_bytes() + exemplars.sum::<usize>();
        self.bound.check(self.bytes)
    }
}
