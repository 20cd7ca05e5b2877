//! The answers of OTLP in protobuf: the export's response and `google.rpc.Status`.

use crate::protobuf::{delimited_len, put_bytes, put_head, put_uint};

/// `ExportMetricsServiceResponse`, with `partial_success` set when something was refused.
#[must_use]
pub fn response(rejected_data_points: u64, error_message: &str) -> Vec<u8> {
    let mut output = Vec::new();
    if rejected_data_points == 0 && error_message.is_empty() {
        return output;
    }
    let mut partial = Vec::with_capacity(error_message.len() + 16);
    put_uint(&mut partial, 1, rejected_data_points);
    if !error_message.is_empty() {
        put_bytes(&mut partial, 2, error_message.as_bytes());
    }
    put_bytes(&mut output, 1, &partial);
    output
}

/// `google.rpc.Status`, with a `google.rpc.RetryInfo` among its details when the sender should come back.
#[must_use]
pub fn status(code: u32, message: &str, retry_after_secs: Option<u32>) -> Vec<u8> {
    const RETRY_INFO: &[u8] = b"type.googleapis.com/google.rpc.RetryInfo";
    let mut output = Vec::with_capacity(message.len() + 80);
    put_uint(&mut output, 1, u64::from(code));
    if !message.is_empty() {
        put_bytes(&mut output, 2, message.as_bytes());
    }
    if let Some(seconds) = retry_after_secs {
        let mut duration = Vec::new();
        put_uint(&mut duration, 1, u64::from(seconds));
        let mut info = Vec::new();
        put_bytes(&mut info, 1, &duration);
        let any = delimited_len(RETRY_INFO.len()) + delimited_len(info.len());
        put_head(&mut output, 3, any);
        put_bytes(&mut output, 1, RETRY_INFO);
        put_bytes(&mut output, 2, &info);
    }
    output
}
