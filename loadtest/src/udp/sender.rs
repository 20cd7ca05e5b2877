//! A sender of UDP packets at a constant rate, whether or not anybody keeps up.

use std::io::IoSlice;
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use rustix::io::Errno;
use rustix::net::{MMsgHdr, SendAncillaryBuffer, SendFlags, sendmmsg};

use super::packets::Packets;

/// Packets of one system call.
const MOST_AT_ONCE: usize = 64;

/// What the sender sleeps when nothing is due: bursts of so long.
const PAUSE: Duration = Duration::from_micros(100);

/// Sends so many packets a second until `duration` is over; answers how many that were.
#[expect(
    clippy::disallowed_methods,
    reason = "this thread does nothing but send"
)]
pub(super) fn send(
    target: SocketAddr,
    packets: &mut Packets,
    rate: u32,
    duration: Duration,
) -> anyhow::Result<u64> {
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    socket.connect(target)?;
    let started = Instant::now();
    let mut sent = 0_u64;
    loop {
        let elapsed = started.elapsed();
        if elapsed >= duration {
            return Ok(sent);
        }
        let due = elapsed.as_micros() * u128::from(rate) / 1_000_000;
        let due = u64::try_from(due).unwrap_or(u64::MAX);
        let Some(behind) = due.checked_sub(sent).filter(|behind| *behind > 0) else {
            std::thread::sleep(PAUSE);
            continue;
        };
        let most = usize::try_from(behind).unwrap_or(MOST_AT_ONCE);
        sent += burst(&socket, packets, most.min(MOST_AT_ONCE))?;
    }
}

/// Sends so many packets at once.
pub(super) fn send_all(
    target: SocketAddr,
    packets: &mut Packets,
    count: usize,
) -> anyhow::Result<u64> {
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    socket.connect(target)?;
    let mut sent = 0_u64;
    while let Some(left) = count
        .checked_sub(usize::try_from(sent)?)
        .filter(|left| *left > 0)
    {
        sent += burst(&socket, packets, left.min(MOST_AT_ONCE))?;
    }
    Ok(sent)
}

fn burst(socket: &UdpSocket, packets: &mut Packets, most: usize) -> anyhow::Result<u64> {
    let slices: Vec<_> = packets.take(most).map(|it| [IoSlice::new(it)]).collect();
    let mut none: Vec<_> = slices
        .iter()
        .map(|_| SendAncillaryBuffer::default())
        .collect();
    let messages = slices.iter().zip(&mut none);
    let mut messages: Vec<_> = messages
        .map(|(slice, none)| MMsgHdr::new(slice, none))
        .collect();
    let mut sent = 0;
    while let Some(left) = messages.get_mut(sent..).filter(|left| !left.is_empty()) {
        match sendmmsg(socket, left, SendFlags::empty()) {
            Ok(count) => sent += count,
            Err(Errno::INTR | Errno::NOBUFS | Errno::AGAIN) => {}
            Err(error) => return Err(error).context("cannot send"),
        }
    }
    Ok(sent as u64)
}
