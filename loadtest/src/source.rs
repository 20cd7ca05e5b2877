//! Where senders get their bodies: made when they are wanted, or ahead of them.
//!
//! Patching and small compression happen where the body is sent. Large compressed bodies are made on
//! a thread of their own, so that one connection's compression is not another one's latency; some
//! may be made before the load begins. Either way no body is sent twice.

use std::cell::{Cell, RefCell};
use std::ops::Range;
use std::time::Duration;

use anyhow::Context;
use tokio::sync::{Mutex, mpsc};

use crate::bodies::{Bodies, Compressor};
use crate::load::Load;
use crate::protocol::Compression;

/// Samples from which on a body that is compressed is made ahead.
const LARGE: u64 = 100;
/// Bodies that are made ahead when nothing else is said.
const AHEAD: usize = 32;

/// A body and the places of its samples in the sequence.
#[derive(Debug)]
pub(crate) struct Made {
    bytes: Vec<u8>,
    places: Range<u64>,
}

pub(crate) enum Source {
    Now {
        bodies: Box<RefCell<Bodies>>,
        compressor: RefCell<Compressor>,
        next_place: Cell<u64>,
    },
    Ahead(Mutex<mpsc::Receiver<Made>>),
}

impl Source {
    /// With `prepare` it takes as long as that many bodies take to be made.
    pub(crate) async fn new(load: &Load) -> anyhow::Result<Self> {
        let bodies = Bodies::new(load);
        let compressor = Compressor::new(load.compression())?;
        let first = load.first_value.unwrap_or_else(fresh_place);
        if load.compression() == Compression::Identity || bodies.batch() < LARGE {
            return Ok(Self::Now {
                bodies: Box::new(RefCell::new(bodies)),
                compressor: RefCell::new(compressor),
                next_place: Cell::new(first),
            });
        }
        let (sender, receiver) = mpsc::channel(load.prepare.max(AHEAD));
        let connections = load.connections.get() as u64;
        std::thread::Builder::new()
            .name("bodies".to_owned())
            .spawn(move || make_ahead(bodies, compressor, first, connections, &sender))?;
        while receiver.len() < load.prepare && !receiver.is_closed() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(Self::Ahead(Mutex::new(receiver)))
    }

    /// Puts the body that a connection sends as its `turn`th into `body`, and answers its places.
    pub(crate) async fn fill(
        &self,
        connection: u64,
        turn: u64,
        body: &mut Vec<u8>,
    ) -> anyhow::Result<Range<u64>> {
        match self {
            Self::Now {
                bodies,
                compressor,
                next_place,
            } => {
                let mut bodies = bodies.borrow_mut();
                let first = next_place.get();
                next_place.set(first + bodies.batch());
                let made = bodies.make(connection, turn, now_ms(), first);
                compressor.borrow_mut().append(made, body)?;
                Ok(first..next_place.get())
            }
            Self::Ahead(receiver) => {
                let made = receiver.lock().await.recv().await;
                let made = made.context("bodies cannot be compressed")?;
                *body = made.bytes;
                Ok(made.places)
            }
        }
    }
}

fn make_ahead(
    mut bodies: Bodies,
    mut compressor: Compressor,
    first: u64,
    connections: u64,
    sender: &mpsc::Sender<Made>,
) {
    let batch = bodies.batch();
    for number in 0.. {
        let first = first + number * batch;
        let (connection, turn) = (number % connections, number / connections);
        let body = bodies.make(connection, turn, now_ms(), first);
        let mut bytes = Vec::new();
        let places = first..first + batch;
        if compressor.append(body, &mut bytes).is_err()
            || sender.blocking_send(Made { bytes, places }).is_err()
        {
            return;
        }
    }
}

/// A place that no run of the last three weeks has used, if none sent more than four million samples a second.
fn fresh_place() -> u64 {
    let seconds = now_ms() / 1000;
    seconds % 2_000_000 * 4_000_000
}

pub(crate) fn now_ms() -> u64 {
    u64::try_from(service::clock::now_ms()).unwrap_or(0)
}
