//! What the packets are.

use super::Packets;

fn texts(packets: &mut Packets, most: usize) -> Vec<String> {
    let taken = packets.take(most);
    taken
        .map(|packet| String::from_utf8(packet.to_vec()).unwrap())
        .collect()
}

#[test]
fn a_packet_has_another_value_each_time() {
    let mut packets = Packets::new(1, 1, 3);
    let line = |value: &str| {
        vec![format!(
            "service_00.requests:{value}|c|#host:web-server-000.example,region:us-east-1,environment:production"
        )]
    };
    assert_eq!(texts(&mut packets, 5), line("0001"));
    assert_eq!(texts(&mut packets, 5), line("0002"));
}

#[test]
fn packets_take_turns() {
    let mut packets = Packets::new(3, 2, 1);
    assert_eq!(
        texts(&mut packets, 1),
        ["service_00.requests:0001|c|#host:web-server-000.example\n\
             service_01.requests:0002|c|#host:web-server-000.example"]
    );
    assert_eq!(
        texts(&mut packets, 9),
        ["service_02.requests:0003|c|#host:web-server-000.example"]
    );
    assert_eq!(texts(&mut packets, 9).len(), 2);
}

#[test]
fn packets_are_filled_up_to_a_frame() {
    let mut packets = Packets::new(1000, usize::MAX, 3);
    let texts = texts(&mut packets, usize::MAX);
    assert!(texts.iter().all(|text| text.len() <= super::PACKET_BYTES));
    assert!(packets.lines_per_packet() > 10.0);
}
