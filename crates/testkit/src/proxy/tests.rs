//! Checks each kind of network on an echoing server.

use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::{Shutdown, TcpListener, TcpStream},
    time::{Duration, Instant},
};

use super::{Network, Proxy};
use crate::eventually_blocking;

const DEADLINE: Duration = Duration::from_secs(20);

/// Sends back what it receives, on each connection, until the sender closes its half.
fn echo() -> Proxy {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            std::thread::spawn(move || {
                let mut stream = stream.unwrap();
                let mut copy = stream.try_clone().unwrap();
                std::io::copy(&mut stream, &mut copy).ok();
                copy.shutdown(Shutdown::Write).ok();
            });
        }
    });
    Proxy::start(address)
}

fn connect(proxy: &Proxy) -> TcpStream {
    let stream = TcpStream::connect(proxy.address()).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream
}

fn exchange(stream: &mut TcpStream, text: &[u8]) -> Vec<u8> {
    stream.write_all(text).unwrap();
    let mut answer = vec![0; text.len()];
    stream.read_exact(&mut answer).unwrap();
    answer
}

#[test]
fn a_good_network_passes_bytes_both_ways_and_counts_them() {
    let proxy = echo();
    assert_eq!(exchange(&mut connect(&proxy), b"hello"), b"hello");
    // The proxy counts after it has written, so the answer may be here first.
    eventually_blocking(DEADLINE, || match proxy.forwarded_bytes() {
        10 => Ok(()),
        count => Err(count),
    });
}

#[test]
fn half_a_close_leaves_the_other_half_open() {
    let proxy = echo();
    let mut stream = connect(&proxy);
    stream.write_all(b"last words").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert_eq!(answer, "last words");
}

#[test]
fn a_stall_holds_bytes_back_and_loses_none() {
    let proxy = echo();
    let mut stream = connect(&proxy);
    exchange(&mut stream, b"a");
    proxy.set(Network::Stalled);
    stream.write_all(b"b").unwrap();
    stream
        .set_read_timeout(Some(Duration::from_millis(200)))
        .unwrap();
    let error = stream.read(&mut [0; 1]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WouldBlock);
    proxy.set(Network::Good);
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    let mut answer = [0; 1];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"b");
}

#[test]
fn a_deaf_target_is_not_reached() {
    let proxy = echo();
    let mut stream = connect(&proxy);
    exchange(&mut stream, b"a");
    let before = proxy.forwarded_bytes();
    proxy.set(Network::DeafTarget);
    stream.write_all(b"b").unwrap();
    stream
        .set_read_timeout(Some(Duration::from_millis(200)))
        .unwrap();
    assert!(stream.read(&mut [0; 1]).is_err());
    assert_eq!(proxy.forwarded_bytes(), before);
}

#[test]
fn a_slow_network_takes_its_time() {
    let proxy = echo();
    proxy.set(Network::Slow(20_000));
    let started = Instant::now();
    exchange(&mut connect(&proxy), &[7; 10_000]);
    // At 20 kB/s, 10 kB take half a second: no upper bound, a busy machine is slower still.
    assert!(started.elapsed() > Duration::from_millis(400));
}

#[test]
fn a_cut_ends_open_connections_and_new_ones() {
    let proxy = echo();
    let mut stream = connect(&proxy);
    exchange(&mut stream, b"a");
    proxy.set(Network::Cut);
    assert_eq!(stream.read(&mut [0; 1]).unwrap(), 0);
    assert_eq!(connect(&proxy).read(&mut [0; 1]).unwrap(), 0);
    proxy.set(Network::Good);
    assert_eq!(exchange(&mut connect(&proxy), b"again"), b"again");
}

#[test]
fn a_reset_reaches_the_client_as_a_reset() {
    let proxy = echo();
    let mut stream = connect(&proxy);
    exchange(&mut stream, b"a");
    proxy.set(Network::Reset);
    let error = stream.read(&mut [0; 1]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
}

#[test]
fn a_dropped_proxy_refuses_connections() {
    let proxy = echo();
    let address = proxy.address();
    let mut stream = connect(&proxy);
    exchange(&mut stream, b"a");
    drop(proxy);
    assert_eq!(stream.read(&mut [0; 1]).unwrap(), 0);
    eventually_blocking(DEADLINE, || match TcpStream::connect(address) {
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => Ok(()),
        other => Err(other),
    });
}
