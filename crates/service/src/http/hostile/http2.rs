//! HTTP/2, frame by frame: floods that cost their sender little.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{LONG, Victim, write_on};
use crate::http::Connections;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;

const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

const ENHANCE_YOUR_CALM: u32 = 11;

/// More than the kernel's buffers hold on their own.
const MOST: usize = 64 << 20;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut frame = u32::try_from(payload.len()).unwrap().to_be_bytes()[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend_from_slice(payload);
    frame
}

/// `GET` or `POST` of this path on `http`, from host `x`; HPACK without Huffman codes.
fn head(method: u8, path: &str) -> Vec<u8> {
    let mut block = vec![method, 0x86, 0x04, u8::try_from(path.len()).unwrap()];
    block.extend(path.bytes());
    block.extend([0x01, 0x01, b'x']);
    block
}

const GET: u8 = 0x82;
const POST: u8 = 0x83;

async fn connect(victim: &Victim, settings: &[(u16, u32)]) -> TcpStream {
    let mut client = victim.connect().await;
    let mut said = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    let mut payload = Vec::new();
    for (name, value) in settings {
        payload.extend(name.to_be_bytes());
        payload.extend(value.to_be_bytes());
    }
    said.extend(frame(SETTINGS, 0, 0, &payload));
    client.write_all(&said).await.unwrap();
    client
}

/// Reads until the server closes; answers the error code of its goodbye, if it said one.
async fn goodbye(client: &mut TcpStream) -> Option<u32> {
    let mut heard = Vec::new();
    while let Ok(count) = timeout(LONG, client.read_buf(&mut heard))
        .await
        .expect("an end")
    {
        if count == 0 {
            break;
        }
    }
    let mut rest = heard.as_slice();
    let mut code = None;
    while let Some((head, behind)) = rest.split_first_chunk::<9>() {
        let length = usize::from(head[1]) << 8 | usize::from(head[2]);
        let Some((payload, next)) = behind.split_at_checked(length) else {
            break;
        };
        if head[3] == GOAWAY {
            code = payload
                .get(4..8)
                .map(|code| u32::from_be_bytes(code.try_into().unwrap()));
        }
        rest = next;
    }
    code
}

#[tokio::test]
async fn streams_that_are_opened_and_reset_at_once_end_the_connection() {
    let victim = Victim::start(Connections::default()).await;
    let code = victim
        .beside(async {
            let mut client = connect(&victim, &[]).await;
            let mut said = Vec::new();
            for stream in (1..20_000).step_by(2) {
                said.extend(frame(
                    HEADERS,
                    END_STREAM | END_HEADERS,
                    stream,
                    &head(GET, "/reset"),
                ));
                said.extend(frame(RST_STREAM, 0, stream, &8_u32.to_be_bytes()));
            }
            drop(client.write_all(&said).await);
            goodbye(&mut client).await
        })
        .await;
    assert!(
        code.is_none_or(|code| code == ENHANCE_YOUR_CALM),
        "{code:?}"
    );
    assert!(victim.served().len() < 1000, "{}", victim.served().len());
}

#[tokio::test]
async fn streams_that_make_the_server_reset_them_end_the_connection() {
    let victim = Victim::start(Connections::default()).await;
    let code = victim
        .beside(async {
            let mut client = connect(&victim, &[]).await;
            let mut said = Vec::new();
            for stream in (1..20_000).step_by(2) {
                said.extend(frame(HEADERS, END_HEADERS, stream, &head(POST, "/reset")));
                // A window that grows beyond 2 GiB is an error of the stream alone.
                let update = 0x7fff_ffff_u32.to_be_bytes();
                said.extend(frame(WINDOW_UPDATE, 0, stream, &update));
            }
            drop(client.write_all(&said).await);
            goodbye(&mut client).await
        })
        .await;
    assert!(
        code.is_none_or(|code| code == ENHANCE_YOUR_CALM),
        "{code:?}"
    );
}

#[tokio::test]
async fn a_header_continued_without_end_ends_the_connection() {
    let victim = Victim::start(Connections::default()).await;
    for piece in [&[][..], b"\x00\x01a\x01b"] {
        let written = victim
            .beside(async {
                let mut client = connect(&victim, &[]).await;
                let begin = frame(HEADERS, END_STREAM, 1, &head(GET, "/endless"));
                client.write_all(&begin).await.unwrap();
                let more = frame(CONTINUATION, 0, 1, piece).repeat(1000);
                write_on(&mut client, &more, MOST).await
            })
            .await;
        assert!(written < MOST, "{piece:?}");
    }
    assert!(victim.served().is_empty());
}

#[tokio::test]
async fn a_small_block_that_unfolds_into_a_large_header_is_not_served() {
    let victim = Victim::start(Connections::default()).await;
    victim
        .beside(async {
            let mut client = connect(&victim, &[]).await;
            // A line of 3000 bytes that is remembered, and then said again 4000 times in a byte each: 12 MB.
            let mut block = head(GET, "/unfolded");
            block.extend([0x40, 0x01, b'a', 0x7f, 0xb9, 0x16]);
            block.extend([b'v'; 3000]);
            block.extend([0xbe; 4000]);
            let said = frame(HEADERS, END_STREAM | END_HEADERS, 1, &block);
            client.write_all(&said).await.unwrap();
            client.write_all(&frame(PING, 0, 0, &[0; 8])).await.unwrap();
            drop(client.shutdown().await);
            goodbye(&mut client).await
        })
        .await;
    assert!(victim.served().is_empty(), "{:?}", victim.served());
}

#[tokio::test]
async fn floods_that_want_answers_are_not_read_faster_than_they_are_answered() {
    for (kind, payload) in [(PING, vec![0; 8]), (SETTINGS, vec![0, 4, 0, 0, 0x10, 0])] {
        let victim = Victim::impatient().await;
        victim
            .beside(async {
                let mut client = connect(&victim, &[]).await;
                let flood = frame(kind, 0, 0, &payload).repeat(1000);
                // Nothing is read of the answers: the server stops reading, and then gives up.
                assert!(write_on(&mut client, &flood, MOST).await < MOST, "{kind}");
            })
            .await;
    }
}

#[tokio::test]
async fn windows_without_room_hold_no_more_than_their_streams_may() {
    let victim = Victim::impatient().await;
    for window in [0, 1] {
        victim
            .beside(async {
                // The client's windows have no room for the answers.
                let mut client = connect(&victim, &[(4, window)]).await;
                let mut said = Vec::new();
                for stream in (1..2000).step_by(2) {
                    said.extend(frame(
                        HEADERS,
                        END_STREAM | END_HEADERS,
                        stream,
                        &head(GET, "/big"),
                    ));
                }
                drop(client.write_all(&said).await);
                goodbye(&mut client).await
            })
            .await;
    }
    // As many as may be open at once, of each connection.
    assert!(
        victim.served().len() <= 2 * 256,
        "{}",
        victim.served().len()
    );
}

#[tokio::test]
async fn more_data_than_the_window_has_room_for_ends_the_connection() {
    let victim = Victim::start(Connections::default()).await;
    victim
        .beside(async {
            let mut client = connect(&victim, &[]).await;
            // On a stream that does not exist.
            let data = frame(DATA, 0, 1, &[b'x'; 16 << 10]);
            assert!(write_on(&mut client, &data, MOST).await < MOST);
        })
        .await;
}

#[tokio::test]
async fn frames_that_are_too_long_or_make_no_sense_end_the_connection() {
    let victim = Victim::start(Connections::default()).await;
    for said in [
        frame(DATA, 0, 0, b"on no stream"),
        frame(HEADERS, END_STREAM | END_HEADERS, 2, &head(GET, "/even")),
        frame(HEADERS, END_STREAM | END_HEADERS, 1, &[0xff; 30]),
        frame(SETTINGS, 0, 0, b"odd"),
        frame(PING, 0, 0, b"short"),
        frame(WINDOW_UPDATE, 0, 0, &[0xff; 4]),
        frame(CONTINUATION, END_HEADERS, 1, &head(GET, "/alone")),
        frame(200, 0, 0, &vec![0; 32 << 10]),
    ] {
        let mut client = connect(&victim, &[]).await;
        client.write_all(&said).await.unwrap();
        let code = timeout(LONG, goodbye(&mut client)).await.unwrap();
        assert!(
            code.is_some_and(|code| code > 0),
            "{:?}: {code:?}",
            &said[..9]
        );
    }
    assert!(victim.served().is_empty());
}
