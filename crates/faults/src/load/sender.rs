//! One sender: batches in order, each sent until it is acknowledged.

use std::time::Duration;

use bytes::Bytes;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::Options;
use super::body::Protocol;
use super::connection::{Answer, Connection};
use super::sent::{Sent, Turn};

/// Between two tries, when the answer does not say; doubled each time, up to the longest.
const RETRY_AFTER: Duration = Duration::from_millis(100);
const RETRY_AFTER_MOST: Duration = Duration::from_secs(1);

/// Sends until told to stop, and says what became of each batch.
pub(super) async fn run(
    sender: u64,
    options: Options,
    start: Instant,
    start_ms: i64,
    mut stop: watch::Receiver<bool>,
) -> Sent {
    let protocol = if sender.is_multiple_of(2) {
        Protocol::Json
    } else {
        Protocol::RemoteWrite
    };
    let mut sent = Sent::new(sender, options.series);
    let mut connections: Vec<_> = options.ports.iter().copied().map(Connection::new).collect();
    // Each sender has a gateway that it prefers, and goes on to the next one when that fails.
    let first = usize::try_from(sender).unwrap_or(0);
    connections.rotate_left(first % options.ports.len().max(1));
    let share = options
        .period
        .mul_f64(sender as f64 / options.senders as f64);
    for turn in 0.. {
        let offset = share + options.period * turn;
        tokio::select! {
            () = sleep_until(start + offset) => {}
            _ = stop.wait_for(|stop| *stop) => break,
        }
        if *stop.borrow() {
            break;
        }
        let offset_ms = i64::try_from(offset.as_millis()).unwrap_or(i64::MAX);
        let at_ms = start_ms.saturating_add(offset_ms);
        let body = protocol.body(sender, u64::from(turn), options.series, at_ms);
        let state = deliver(&mut sent, &mut connections, protocol, body.into(), &options).await;
        sent.turns.push(state);
    }
    sent
}

/// Sends a batch until it is acknowledged or has been tried for long enough.
async fn deliver(
    sent: &mut Sent,
    connections: &mut [Connection],
    protocol: Protocol,
    body: Bytes,
    options: &Options,
) -> Turn {
    let began = Instant::now();
    let mut pause = RETRY_AFTER;
    loop {
        let Some(connection) = connections.first_mut() else {
            return Turn::Unknown;
        };
        let tried = timeout(options.timeout, connection.post(protocol, body.clone())).await;
        let mut asked = None;
        match tried {
            Ok(Ok(answer)) => {
                sent.note(&answer_name(&answer, protocol));
                if is_whole(&answer, protocol) {
                    sent.acknowledged_after(began.elapsed(), &answer);
                    return Turn::Acknowledged;
                }
                asked = answer.retry_after;
                if answer.status == 500 {
                    let said = String::from_utf8_lossy(&answer.body).into_owned();
                    sent.first_500.get_or_insert(said);
                }
            }
            // Nobody there, or gone before the answer: a killed process looks like this.
            Ok(Err(_)) => sent.note("none"),
            Err(_) => {
                connection.close();
                sent.note("hung");
            }
        }
        if began.elapsed() >= options.give_up {
            sent.outage(began.elapsed());
            return Turn::Unknown;
        }
        connections.rotate_left(1);
        sleep(asked.unwrap_or(pause).min(RETRY_AFTER_MOST)).await;
        pause = (pause * 2).min(RETRY_AFTER_MOST);
    }
}

fn answer_name(answer: &Answer, protocol: Protocol) -> String {
    if is_whole(answer, protocol) || !(200..300).contains(&answer.status) {
        answer.status.to_string()
    } else {
        format!("{} partial", answer.status)
    }
}

/// Whether everything was taken.
fn is_whole(answer: &Answer, protocol: Protocol) -> bool {
    match protocol {
        Protocol::Json => {
            let success: &[u8] = br#""status":"success""#;
            answer.status == 200
                && answer
                    .body
                    .windows(success.len())
                    .any(|window| window == success)
        }
        Protocol::RemoteWrite => answer.status == 204,
    }
}
