//! What the kernel's table of sockets says.

use super::{drops, waiting};

const TABLE: &str = "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  311: 0100007F:1FBD 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 81 2 0000000000000000 7
  312: 0100007F:1FBE 00000000:0000 07 00000000:0001A2C0 00:00000000 00000000     0        0 82 2 0000000000000000 0
  313: 00000000:1FBD 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 83 2 0000000000000000 2
";

#[test]
fn drops_of_all_sockets_of_a_port_are_added_up() {
    assert_eq!(drops(TABLE, 8125), 9);
    assert_eq!(drops(TABLE, 8126), 0);
}

#[test]
fn a_socket_that_holds_bytes_waits_to_be_read() {
    assert!(!waiting(TABLE, 8125));
    assert!(waiting(TABLE, 8126));
}
