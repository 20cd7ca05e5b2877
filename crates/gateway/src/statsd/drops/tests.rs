//! The kernel's table is read as it is written.

use super::KernelDrops;

const TABLE: &str = "\
   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  102: 00000000:1FBD 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 4242 2 0000000000000000 17
  103: 0100007F:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 4243 2 0000000000000000 99
  104: 00000000:1FBD 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 4244 2 0000000000000000 3
";

#[test]
fn only_our_sockets_count() {
    let drops = KernelDrops {
        inodes: ["4242", "4244"].map(str::to_owned).into(),
    };
    assert_eq!(drops.drops(TABLE), 20);
    assert_eq!(KernelDrops::default().drops(TABLE), 0);
}

#[test]
fn a_socket_of_ours_is_found_in_the_kernels_table() {
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut drops = KernelDrops::default();
    drops.watch(&socket);
    assert_eq!(drops.inodes.len(), 1);
    let inode = drops.inodes.iter().next().unwrap();
    let table = std::fs::read_to_string("/proc/net/udp").unwrap();
    assert!(table.contains(inode.as_str()), "{inode} in {table}");
}
