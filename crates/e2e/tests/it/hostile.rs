//! Clients that mean harm, all at once, against the binary as it is shipped; and one that only wants to push.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::json;
use testkit::eventually;
use testkit::usage::peak_resident_bytes;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::push::{now_ms, push};
use crate::sluice::{PATIENCE, Sluice, reqwest_client};

/// What a standalone may hold under attack: what its settings bound (bodies in flight, caches, the recent window), and
/// what the binary is.
const MOST_BYTES: u64 = 900 << 20;

/// Requests of a kind that are sent, and how many at a time.
const REQUESTS: usize = 18;
const AT_ONCE: usize = 6;

/// Who open idle connections.
const OPENERS: usize = 20;

/// How long an attack may take: seconds, and minutes where the machine has other things to do.
const ATTACK: Duration = Duration::from_secs(600);

/// Pushes a numbered sample after the other until it is told to stop; answers how many. Each must be taken, after a 503 at
/// the second or third attempt: a busy disk may take longer to confirm than a request waits.
async fn push_on(url: String, stop: Arc<AtomicBool>) -> usize {
    let mut pushed = 0;
    while pushed == 0 || !stop.load(Ordering::Relaxed) {
        let body = json!({"metrics": [{
            "metric_name": "good_total", "timestamp": now_ms(), "value": pushed, "labels": {"n": pushed.to_string()}
        }]});
        push(&url, &body).await.expect("a good client is served");
        pushed += 1;
    }
    pushed
}

/// Runs an attack beside a good client, whose samples must all be there afterwards.
async fn beside(sluice: &Sluice, what: &str, attack: impl Future<Output = ()>) {
    let stop = Arc::new(AtomicBool::new(false));
    let accepted = || {
        sluice
            .metric("sluice_gateway_samples_accepted_total", "json")
            .unwrap()
    };
    let before = accepted();
    let mut good = JoinSet::new();
    good.spawn(push_on(sluice.url("/metrics"), Arc::clone(&stop)));
    timeout(ATTACK, attack).await.expect("the attack ends");
    stop.store(true, Ordering::Relaxed);
    let pushed = timeout(PATIENCE, good.join_next())
        .await
        .expect("the good client ends");
    let pushed = pushed.unwrap().unwrap();
    assert!(accepted() - before >= pushed as f64, "{what}");
    let peak = peak_resident_bytes(sluice.process.pid()).unwrap();
    assert!(peak < MOST_BYTES, "{what}: {} MiB", peak >> 20);
}

/// Sends a request many times; answers must have one of these statuses.
async fn send(
    sluice: &Sluice,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
    statuses: &[u16],
) {
    let client = reqwest_client().unwrap();
    let (mut left, mut answers) = (REQUESTS, 0);
    let mut running = JoinSet::new();
    while left > 0 || !running.is_empty() {
        while left > 0 && running.len() < AT_ONCE {
            left -= 1;
            let mut request = client.post(sluice.url(path)).body(body.to_vec());
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            running.spawn(request.send());
        }
        if let Some(answer) = running.join_next().await {
            // A refusal may come, and the connection end, while the client still writes; it then sees the end alone.
            let Ok(answer) = answer.unwrap() else {
                continue;
            };
            answers += 1;
            let status = answer.status().as_u16();
            assert!(statuses.contains(&status), "{path} {headers:?}: {status}");
        }
    }
    assert!(answers > 0, "{path} {headers:?}: no answer was read");
}

/// A zstd frame of so many spaces, in blocks of 128 KiB that say "this byte, that often".
fn zstd_spaces(bytes: u32) -> Vec<u8> {
    let mut packed = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x50];
    let mut left = bytes;
    while left > 0 {
        let block = left.min(128 << 10);
        left -= block;
        let header = (block << 3) | (1 << 1) | u32::from(left == 0);
        packed.extend(&header.to_le_bytes()[..3]);
        packed.push(b' ');
    }
    packed
}

/// A zstd frame that stores something as it is.
fn zstd_raw(data: &[u8]) -> Vec<u8> {
    let mut packed = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x50];
    let header = (u32::try_from(data.len()).unwrap() << 3) | 1;
    packed.extend(&header.to_le_bytes()[..3]);
    packed.extend(data);
    packed
}

#[tokio::test(flavor = "multi_thread")]
async fn bombs_are_refused_while_others_push() {
    let folder = tempfile::tempdir().unwrap();
    let sluice = Sluice::standalone(folder.path());
    // 512 MiB in 16 KiB; the same wrapped again; a window of 2 GiB; a million frames and members of nothing.
    let bomb = zstd_spaces(512 << 20);
    let nested = zstd_raw(&bomb);
    let window = [&[0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa8], &bomb[6..]].concat();
    let skipped = b"\x50\x2a\x4d\x18\0\0\0\0".repeat(1 << 20);
    let empty_member = b"\x1f\x8b\x08\0\0\0\0\0\0\xff\x03\0\0\0\0\0\0\0\0\0".repeat(200_000);
    for (encoding, body, statuses) in [
        ("zstd", bomb, [413, 503]),
        ("zstd", nested, [400, 503]),
        ("zstd", window, [400, 503]),
        ("zstd", skipped, [400, 503]),
        ("gzip", empty_member, [400, 503]),
    ] {
        let what = format!("{encoding}, {} bytes", body.len());
        let headers = [("content-encoding", encoding)];
        beside(
            &sluice,
            &what,
            send(&sluice, "/metrics", &headers, &body, &statuses),
        )
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_are_hard_to_read_are_refused_while_others_push() {
    let folder = tempfile::tempdir().unwrap();
    let sluice = Sluice::standalone(folder.path());
    let deep = format!("{{\"metrics\":{}", "[".repeat(1 << 20));
    let deep_label = format!(
        r#"{{"metrics":[{{"metric_name":"a","timestamp":1,"value":1,"labels":{{"a":{}}}}}]}}"#,
        "{\"a\":".repeat(200_000)
    );
    let labels: Vec<String> = (0..200_000).map(|n| format!("\"l{n}\":\"v\"")).collect();
    let many_labels = format!(
        r#"{{"metrics":[{{"metric_name":"a","timestamp":1,"value":1,"labels":{{{}}}}}]}}"#,
        labels.join(",")
    );
    let tags: Vec<String> = (0..200_000).map(|n| format!("t{n}=v")).collect();
    let line = format!("m,{} f=1", tags.join(","));
    let exposition = format!("m{{{}}} 1\n", tags.join(",").replace("=v", "=\"v\""));
    let not_utf8 = [0xff, 0xfe, b'{', b'"', b'\n'].repeat(20_000);
    let tagged = format!(
        r#"[{{"metric":"m","timestamp":1,"value":1,"tags":{{{}}}}}]"#,
        labels.join(",")
    );
    for (path, kind, body) in [
        ("/metrics", "application/json", deep.as_bytes()),
        ("/metrics", "application/json", deep_label.as_bytes()),
        ("/metrics", "application/json", many_labels.as_bytes()),
        ("/v1/metrics", "application/json", deep.as_bytes()),
        ("/api/put", "application/json", tagged.as_bytes()),
        ("/api/v1/import", "application/json", deep_label.as_bytes()),
        ("/write", "text/plain", line.as_bytes()),
        (
            "/api/v1/import/prometheus",
            "text/plain",
            exposition.as_bytes(),
        ),
        ("/metrics", "application/json", &not_utf8),
        ("/write", "text/plain", &not_utf8),
        ("/api/v1/import/prometheus", "text/plain", &not_utf8),
        ("/v1/metrics", "application/x-protobuf", &not_utf8),
        ("/api/v1/write", "application/x-protobuf", &not_utf8),
        ("/api/put", "application/json", &not_utf8),
    ] {
        let headers = [("content-type", kind)];
        let what = format!("{path}, {} bytes", body.len());
        beside(
            &sluice,
            &what,
            send(&sluice, path, &headers, body, &[400, 413, 503]),
        )
        .await;
    }
}

/// A connection that began to send a body and does not go on.
async fn unfinished(address: SocketAddr, length: &str) -> TcpStream {
    let mut client = TcpStream::connect(address).await.unwrap();
    let said = format!("POST /metrics HTTP/1.1\r\nhost: x\r\n{length}\r\n\r\n");
    client.write_all(said.as_bytes()).await.unwrap();
    client
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_without_end_are_cut_while_others_push() {
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().display().to_string();
    let settings = [
        ("SLUICE_DATA_DIR", data_dir.as_str()),
        ("SLUICE_HTTP__BODY_IDLE_TIMEOUT", "1s"),
    ];
    let sluice = Sluice::start("standalone", &settings);
    let address = SocketAddr::from(([127, 0, 0, 1], sluice.http_port()));
    // Chunks for ever, as fast as they are taken.
    beside(&sluice, "endless chunks", async {
        let mut endless = JoinSet::new();
        for _ in 0..4 {
            endless.spawn(async move {
                let mut client = unfinished(address, "transfer-encoding: chunked").await;
                let chunk = [b"10000\r\n".as_slice(), &[b' '; 65_536], b"\r\n"].concat();
                let mut written = 0;
                while written < 1 << 30 && client.write_all(&chunk).await.is_ok() {
                    written += chunk.len();
                }
                written
            });
        }
        for written in endless.join_all().await {
            assert!(written < 1 << 30, "{written} bytes were taken");
        }
    })
    .await;
    // A byte now and then, of a hundred bodies.
    beside(&sluice, "slow bodies", async {
        let mut slow = JoinSet::new();
        for number in 0..100 {
            slow.spawn(async move {
                let length = if number % 2 == 0 {
                    "content-length: 65536"
                } else {
                    "transfer-encoding: chunked"
                };
                let mut client = unfinished(address, length).await;
                let mut pace = tokio::time::interval(Duration::from_millis(200));
                let byte = if number % 2 == 0 {
                    b" ".as_slice()
                } else {
                    b"1\r\n \r\n"
                };
                loop {
                    pace.tick().await;
                    if client.write_all(byte).await.is_err() {
                        return;
                    }
                    // The answer that says why, and the end.
                    let mut heard = [0; 4096];
                    match client.try_read(&mut heard) {
                        Ok(0) => return,
                        Ok(_) => {
                            let mut rest = Vec::new();
                            drop(client.read_to_end(&mut rest).await);
                            return;
                        }
                        Err(_) => {}
                    }
                }
            });
        }
        slow.join_all().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn as_many_idle_connections_as_the_system_lets_us_open_do_no_harm() {
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().display().to_string();
    let settings = [
        ("SLUICE_DATA_DIR", data_dir.as_str()),
        ("SLUICE_HTTP__HEADER_TIMEOUT", "10m"),
    ];
    let sluice = Sluice::start("standalone", &settings);
    // Ours are files of this process, theirs of that one: with fewer files than that allowed, there are fewer connections.
    let files = service::process::allow_open_files().unwrap_or(u64::MAX);
    let wanted = usize::try_from(files)
        .unwrap_or(usize::MAX)
        .saturating_sub(1500)
        .min(19_500);
    let address = SocketAddr::from(([127, 0, 0, 1], sluice.http_port()));
    let mut idle = Vec::new();
    beside(&sluice, "idle connections", async {
        let mut openers = JoinSet::new();
        for opener in 0..OPENERS {
            openers.spawn(async move {
                let mut own = Vec::new();
                for _ in (opener..wanted).step_by(OPENERS) {
                    own.push(TcpStream::connect(address).await.unwrap());
                }
                own
            });
        }
        idle.extend(openers.join_all().await);
    })
    .await;
    beside(&sluice, "while they are open", async {}).await;
    // The last of them may still wait to be accepted.
    let open = async || {
        let open = sluice.metric("sluice_http_connections_open", "");
        let open = open.map_err(|error| error.to_string())?;
        if open >= wanted as f64 {
            Ok(())
        } else {
            Err(format!("{open} of {wanted} are open"))
        }
    };
    eventually(PATIENCE, open).await;
    drop(idle);
}
