//! However a stream is cut, its lines are the same.

use proptest::prelude::*;

use super::{MOST_BYTES, Packets, Pieces};

#[derive(Debug, Default)]
struct Seen {
    bytes: Vec<u8>,
    rejected: Vec<&'static str>,
}

impl Packets for Seen {
    fn packet(&mut self, packet: &[u8]) {
        self.bytes.extend_from_slice(packet);
        if !packet.ends_with(b"\n") {
            self.bytes.push(b'\n');
        }
    }

    fn reject(&mut self, reason: &'static str, _bytes: &[u8]) {
        self.rejected.push(reason);
    }
}

fn see(pieces: &[&[u8]]) -> (String, Vec<&'static str>) {
    let (mut reader, mut seen) = (Pieces::default(), Seen::default());
    let is_good = pieces.iter().all(|piece| reader.feed(piece, &mut seen));
    if is_good {
        reader.end(&mut seen);
    }
    (String::from_utf8(seen.bytes).unwrap(), seen.rejected)
}

fn framed(packets: &[&str]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for packet in packets {
        bytes.extend(u32::try_from(packet.len()).unwrap().to_le_bytes());
        bytes.extend(packet.as_bytes());
    }
    bytes
}

#[test]
fn lines_are_put_together() {
    assert_eq!(
        see(&[b"a:1|c\nb:2", b"|c\nc:3|c"]).0,
        "a:1|c\nb:2|c\nc:3|c\n"
    );
    assert_eq!(see(&[b"a"]), ("a\n".to_owned(), vec![]));
    assert_eq!(see(&[]), (String::new(), vec![]));
}

#[test]
fn packets_with_their_length_before_them_are_told_from_lines() {
    let bytes = framed(&["a:1|c\nb:2|g", "c:3|c"]);
    assert_eq!(see(&[&bytes]).0, "a:1|c\nb:2|g\nc:3|c\n");
    let (_, rejected) = see(&[&bytes[..bytes.len() - 1]]);
    assert_eq!(rejected, ["frame_broken_off"]);
}

#[test]
fn what_never_ends_is_given_up() {
    let piece = vec![b'a'; 10_000];
    let pieces: Vec<&[u8]> = std::iter::repeat_n(piece.as_slice(), 8).collect();
    assert_eq!(see(&pieces).1, ["line_too_long"]);
    let mut bytes = framed(&["a:1|c"]);
    bytes.extend(u32::try_from(MOST_BYTES + 1).unwrap().to_le_bytes());
    assert_eq!(see(&[&bytes]).1, ["frame_too_long"]);
}

proptest! {
    #[test]
    fn where_a_stream_is_cut_makes_no_difference(
        values in proptest::collection::vec(0_u32..1000, 1..40),
        cuts in proptest::collection::vec(0_usize..600, 0..10),
        is_framed: bool,
    ) {
        let lines: Vec<String> = values.iter().map(|value| format!("name:{value}|c\n")).collect();
        let text = lines.concat();
        let bytes = if is_framed {
            framed(&lines.iter().map(String::as_str).collect::<Vec<_>>())
        } else {
            text.clone().into_bytes()
        };
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        let pieces: Vec<&[u8]> = cuts.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect();
        prop_assert_eq!(see(&pieces), (text, vec![]));
    }

    #[test]
    fn no_bytes_make_it_panic(pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..50), 0..10)) {
        let (mut reader, mut seen) = (Pieces::default(), Seen::default());
        for piece in &pieces {
            if !reader.feed(piece, &mut seen) {
                return Ok(());
            }
        }
        reader.end(&mut seen);
    }
}
