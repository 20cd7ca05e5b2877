//! Vectors from Kafka's own `UtilsTest.testMurmur2`.

use super::{murmur2, partition_for};

#[test]
fn the_hash_is_the_java_clients() {
    for (key, hash) in [
        ("21", -973_932_308),
        ("foobar", -790_332_482),
        ("a-little-bit-long-string", -985_981_536),
        ("a-little-bit-longer-string", -1_486_304_829),
        (
            "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8",
            -58_897_971,
        ),
        ("abc", 479_470_107),
    ] {
        assert_eq!(murmur2(key.as_bytes()), hash, "{key}");
    }
}

#[test]
fn a_negative_hash_has_its_sign_cut_off() {
    // Utils.toPositive(-973932308) = 1173551340.
    assert_eq!(partition_for(b"21", 64), 1_173_551_340 % 64);
    assert_eq!(partition_for(b"abc", 7), 479_470_107 % 7);
}
