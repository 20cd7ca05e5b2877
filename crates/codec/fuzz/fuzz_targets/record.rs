//! Records of the buffer, in either format.
#![no_main]

use bytes::Bytes;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let value = Bytes::copy_from_slice(data);
    let protobuf = b"application/x-protobuf;proto=io.prometheus.write.v2.Request";
    for content_type in [Some(&protobuf[..]), Some(&b"application/json"[..]), None] {
        drop(codec::record::decode(content_type, &value));
    }
});
