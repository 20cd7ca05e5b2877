//! Real sockets, a fake buffer: what is sent is stored, and what is not is counted.

use std::path::Path;
use std::time::Duration;

use buffer::{PublishError, Record};
use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};
use service::units::Period;
use tokio::io::Interest;
use tokio::net::{TcpStream, UdpSocket, UnixDatagram, UnixStream};

use super::Statsd;
use crate::Config;
use crate::config::{Listen, StatsdConfig};
use crate::fake::{FakeBuffer, NOW_MS, Server, Then};

fn config() -> StatsdConfig {
    StatsdConfig {
        listen: Listen::At(([127, 0, 0, 1], 0).into()),
        // The tests flush when they want to.
        flush_interval: Period::secs(3600),
        ..StatsdConfig::default()
    }
}

async fn start(server: &Server, config: &StatsdConfig) -> Statsd {
    let hostname = "gw-1".to_owned();
    server
        .gateway
        .statsd(config, hostname, &server.tasks)
        .await
        .unwrap()
}

async fn udp(statsd: &Statsd) -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.connect(statsd.udp.unwrap()).await.unwrap();
    socket
}

/// The last value of each series, as text.
fn stored(records: &[Record]) -> Vec<String> {
    let mut found = std::collections::BTreeMap::new();
    for record in records {
        let content_type = record.content_type.as_str().as_bytes();
        let block = codec::record::decode(Some(content_type), &record.value).unwrap();
        for series in block.iter() {
            let labels: Vec<String> = series
                .labels()
                .filter(|(name, _)| *name != "__name__")
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            for point in series.points() {
                found.insert(
                    format!("{}{{{}}}", series.name(), labels.join(",")),
                    point.value.to_string(),
                );
            }
            for histogram in series.histograms() {
                assert_eq!(histogram.at_ms, NOW_MS);
                found.insert(
                    format!("{}{{{}}}", series.name(), labels.join(",")),
                    "histogram".to_owned(),
                );
            }
        }
    }
    found
        .into_iter()
        .map(|(series, value)| format!("{series} {value}"))
        .collect()
}

async fn write_all(stream: &TcpStream, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        stream.writable().await.unwrap();
        if let Ok(written) = stream.try_write(bytes) {
            bytes = &bytes[written..];
        }
    }
}

#[tokio::test]
async fn udp_packets_are_stored() {
    let server = Server::start(&Config::default(), FakeBuffer::default());
    let statsd = start(&server, &config()).await;
    let socket = udp(&statsd).await;
    for _ in 0..100 {
        socket
            .send(b"hits:2|c|#env:prod\ntook:12|ms")
            .await
            .unwrap();
    }
    socket.send(b"temp:20.5|g").await.unwrap();
    // The sockets are read before they are closed.
    assert!(statsd.stop(Duration::from_secs(10)).await);
    let records = server.buffer.confirmed();
    assert_eq!(
        stored(&records),
        [
            "hits{env=prod,gateway=gw-1} 200",
            "temp{gateway=gw-1} 20.5",
            "took{gateway=gw-1} histogram"
        ]
    );
    assert!(records.iter().all(|record| record.tenant.is_none()));
}

#[tokio::test]
async fn several_sockets_share_a_port() {
    let server = Server::start(&Config::default(), FakeBuffer::default());
    let config = StatsdConfig {
        sockets: 4,
        tenant: Some("team-a".to_owned()),
        ..config()
    };
    let statsd = start(&server, &config).await;
    for _ in 0..20 {
        udp(&statsd).await.send(b"hits:1|c").await.unwrap();
    }
    assert!(statsd.stop(Duration::from_secs(10)).await);
    let records = server.buffer.confirmed();
    assert_eq!(stored(&records), ["hits{gateway=gw-1} 20"]);
    assert_eq!(records[0].tenant.as_deref(), Some("team-a"));
}

#[tokio::test]
async fn lines_over_tcp_are_stored_also_without_their_last_end() {
    let server = Server::start(&Config::default(), FakeBuffer::default());
    let config = StatsdConfig {
        tcp_listen: Some(([127, 0, 0, 1], 0).into()),
        ..config()
    };
    let statsd = start(&server, &config).await;
    let stream = TcpStream::connect(statsd.tcp.unwrap()).await.unwrap();
    write_all(&stream, "hits:1|c\n".repeat(5000).as_bytes()).await;
    write_all(&stream, b"hits:1|c").await;
    drop(stream);
    let second = TcpStream::connect(statsd.tcp.unwrap()).await.unwrap();
    write_all(&second, b"other:1|c\n").await;
    testkit::eventually(Duration::from_secs(10), async || {
        statsd.flush().await;
        let stored = stored(&server.buffer.confirmed());
        if stored == ["hits{gateway=gw-1} 5001", "other{gateway=gw-1} 1"] {
            Ok(())
        } else {
            Err(format!("{stored:?}"))
        }
    })
    .await;
    // A connection that stays open does not hold the end up.
    assert!(statsd.stop(Duration::from_secs(10)).await);
}

fn sockets(folder: &Path) -> StatsdConfig {
    StatsdConfig {
        listen: Listen::Off,
        unix_datagram: Some(folder.join("dsd.socket")),
        unix_stream: Some(folder.join("stream.socket")),
        ..config()
    }
}

#[tokio::test]
async fn unix_sockets_are_read_and_cleaned_up() {
    let folder = tempfile::tempdir().unwrap();
    let config = sockets(folder.path());
    let (datagram, stream) = (
        config.unix_datagram.clone().unwrap(),
        config.unix_stream.clone().unwrap(),
    );
    // What a killed process has left is in nobody's way.
    drop(UnixDatagram::bind(&datagram).unwrap());
    drop(tokio::net::UnixListener::bind(&stream).unwrap());
    let server = Server::start(&Config::default(), FakeBuffer::default());
    let statsd = start(&server, &config).await;
    assert_eq!(statsd.places().count(), 2);
    let client = UnixDatagram::unbound().unwrap();
    client
        .send_to(b"hits:1|c\nhits:1|c", &datagram)
        .await
        .unwrap();
    for packet in [
        &b"hits:10|c\n"[..],
        b"\x0b\0\0\0hits:100|c\n\x0a\0\0\0hits:100|c",
    ] {
        let client = UnixStream::connect(&stream).await.unwrap();
        client.ready(Interest::WRITABLE).await.unwrap();
        assert_eq!(client.try_write(packet).unwrap(), packet.len());
    }
    testkit::eventually(Duration::from_secs(10), async || {
        statsd.flush().await;
        let stored = stored(&server.buffer.confirmed());
        if stored == ["hits{gateway=gw-1} 212"] {
            Ok(())
        } else {
            Err(format!("{stored:?}"))
        }
    })
    .await;
    assert!(statsd.stop(Duration::from_secs(10)).await);
    assert!(!datagram.exists() && !stream.exists());
}

#[tokio::test]
async fn a_socket_that_is_in_use_stops_the_start_and_names_its_setting() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&Config::default(), FakeBuffer::default());
    let start = async |config: &StatsdConfig| {
        let started = server
            .gateway
            .statsd(config, "gw-1".to_owned(), &server.tasks)
            .await;
        let error = started.map(|_| ()).unwrap_err();
        let cause = std::error::Error::source(&error).unwrap().to_string();
        format!("{error}: {cause}")
    };
    let taken = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap();
    for sockets in [1, 2] {
        let error = start(&StatsdConfig {
            listen: Listen::At(address),
            sockets,
            ..config()
        })
        .await;
        assert!(
            error.starts_with(&format!("statsd.listen: cannot listen on udp {address}")),
            "{error}"
        );
    }
    let config = sockets(folder.path());
    let listener = tokio::net::UnixListener::bind(config.unix_stream.as_ref().unwrap()).unwrap();
    assert!(
        start(&config)
            .await
            .contains("another process listens there")
    );
    drop(listener);
    std::fs::write(config.unix_datagram.as_ref().unwrap(), "precious").unwrap();
    let error = start(&config).await;
    assert!(
        error.starts_with("statsd.unix_datagram") && error.contains("another kind"),
        "{error}"
    );
}

#[tokio::test]
async fn a_port_that_nobody_insists_on_may_be_taken() {
    // Whoever has the port, this process or another, the second one starts without it.
    let first = UdpSocket::bind("0.0.0.0:8125").await;
    let server = Server::start(&Config::default(), FakeBuffer::default());
    let statsd = start(&server, &StatsdConfig::default()).await;
    assert_eq!(statsd.udp, None, "{first:?}");
    assert!(statsd.stop(Duration::from_secs(10)).await);
}

#[tokio::test]
async fn what_the_buffer_does_not_confirm_is_said_again() {
    let server = Server::start(
        &Config::default(),
        FakeBuffer::that(Then::Fail(PublishError::QueueFull)),
    );
    let statsd = start(&server, &config()).await;
    let socket = udp(&statsd).await;
    socket.send(b"hits:1|c\nusers:a|s").await.unwrap();
    testkit::eventually(Duration::from_secs(10), async || {
        let is_confirmed = statsd.flush().await;
        assert!(!is_confirmed || server.buffer.published.lock().unwrap().is_empty());
        if is_confirmed {
            Err("nothing came yet")
        } else {
            Ok(())
        }
    })
    .await;
    *server.buffer.always.lock().unwrap() = Then::Confirm;
    socket.send(b"hits:1|c\nusers:b|s").await.unwrap();
    assert!(statsd.stop(Duration::from_secs(10)).await);
    assert_eq!(
        stored(&server.buffer.confirmed()),
        ["hits{gateway=gw-1} 2", "users{gateway=gw-1} 2"]
    );
}

/// Every counter that is not 0, as `name{label=value} count`.
pub(super) fn counters(snapshotter: &Snapshotter) -> Vec<String> {
    let mut counters = Vec::new();
    for (key, _, _, value) in snapshotter.snapshot().into_vec() {
        let labels: Vec<String> = key
            .key()
            .labels()
            .map(|label| format!("{}={}", label.key(), label.value()))
            .collect();
        match value {
            DebugValue::Counter(count) if count > 0 => {
                counters.push(format!(
                    "{}{{{}}} {count}",
                    key.key().name(),
                    labels.join(",")
                ));
            }
            _ => {}
        }
    }
    counters.sort();
    counters
}

/// Runs on one thread; answers the counters.
fn counted(test: impl AsyncFnOnce()) -> Vec<String> {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    ::metrics::with_local_recorder(&recorder, || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
            .block_on(test());
    });
    counters(&snapshotter)
}

#[test]
fn everything_that_came_is_counted() {
    let counters = counted(async || {
        let server = Server::start(&Config::default(), FakeBuffer::default());
        let statsd = start(&server, &config()).await;
        let socket = udp(&statsd).await;
        socket
            .send(b"hits:1|c\nnonsense\nhits:1|g\n_e{1,1}:a|b\n_sc|x|0")
            .await
            .unwrap();
        assert!(statsd.stop(Duration::from_secs(10)).await);
    });
    let counters: Vec<&str> = counters
        .iter()
        .map(String::as_str)
        .filter(|line| line.contains("statsd"))
        .collect();
    assert_eq!(
        counters,
        [
            "sluice_gateway_ignored_total{protocol=statsd,kind=event} 1",
            "sluice_gateway_ignored_total{protocol=statsd,kind=service_check} 1",
            "sluice_gateway_samples_accepted_total{protocol=statsd} 1",
            "sluice_gateway_samples_received_total{protocol=statsd} 1",
            "sluice_statsd_lines_rejected_total{reason=no_value} 1",
            "sluice_statsd_lines_rejected_total{reason=type_conflict} 1",
            "sluice_statsd_lines_total{outcome=ignored} 2",
            "sluice_statsd_lines_total{outcome=rejected} 2",
            "sluice_statsd_lines_total{outcome=taken} 1",
            "sluice_statsd_packets_total{transport=udp} 1",
            "sluice_statsd_received_bytes_total{transport=udp} 46",
        ]
    );
}

#[tokio::test]
async fn senders_that_go_on_do_not_hold_the_end_up() {
    let server = Server::start(&Config::default(), FakeBuffer::default());
    let config = StatsdConfig {
        tcp_listen: Some(([127, 0, 0, 1], 0).into()),
        ..config()
    };
    let statsd = start(&server, &config).await;
    let packets = udp(&statsd).await;
    let stream = TcpStream::connect(statsd.tcp.unwrap()).await.unwrap();
    write_all(&stream, b"lines:1|c\n").await;
    packets.send(b"packets:1|c").await.unwrap();
    let sending = async {
        loop {
            // Once they are closed nobody hears it.
            drop(packets.send(b"packets:1|c").await);
            drop(stream.try_write(b"lines:1|c\n"));
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::sleep(Duration::from_millis(50)).await;
    let is_stored = tokio::select! {
        is_stored = statsd.stop(Duration::from_secs(4)) => is_stored,
        () = sending => false,
    };
    assert!(is_stored);
    assert_eq!(stored(&server.buffer.confirmed()).len(), 2);
}

#[tokio::test]
async fn a_socket_that_another_process_has_opened_since_is_left_to_it() {
    let folder = tempfile::tempdir().unwrap();
    let config = sockets(folder.path());
    let path = config.unix_datagram.clone().unwrap();
    let server = Server::start(&Config::default(), FakeBuffer::default());
    let statsd = start(&server, &config).await;
    std::fs::remove_file(&path).unwrap();
    let _other = UnixDatagram::bind(&path).unwrap();
    assert!(statsd.stop(Duration::from_secs(10)).await);
    assert!(path.exists());
    assert!(!config.unix_stream.unwrap().exists());
}

#[test]
fn what_was_cut_off_is_counted() {
    let counters = counted(async || {
        let folder = tempfile::tempdir().unwrap();
        let config = sockets(folder.path());
        let server = Server::start(&Config::default(), FakeBuffer::default());
        let statsd = start(&server, &config).await;
        let client = UnixDatagram::unbound().unwrap();
        let long = format!("hits:1|c\n{}", "x:1|c|@0.1\n".repeat(6000));
        let path = config.unix_datagram.as_ref().unwrap();
        client.send_to(long.as_bytes(), path).await.unwrap();
        let path = config.unix_stream.as_ref().unwrap();
        let client = UnixStream::connect(path).await.unwrap();
        client.ready(Interest::WRITABLE).await.unwrap();
        client.try_write(b"hits:1|c\nhits:1|c").unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert!(statsd.stop(Duration::from_secs(10)).await);
        assert_eq!(
            stored(&server.buffer.confirmed())[0],
            "hits{gateway=gw-1} 2"
        );
    });
    for reason in ["packet_too_long", "line_broken_off"] {
        let line = format!("sluice_statsd_lines_rejected_total{{reason={reason}}} 1");
        assert!(counters.contains(&line), "{counters:?}");
    }
}
