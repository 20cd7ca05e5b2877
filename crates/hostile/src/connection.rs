//! One connection's bytes, HTTP/1.1 and HTTP/2, without a socket.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use http_body_util::BodyExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

use crate::requests::runtime;

const PIPE_BYTES: usize = 8 << 10;

/// A connection ends, and nobody is served who did not ask: never more requests than the bytes have request lines.
pub(crate) fn connection(data: &[u8]) {
    let served = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&served);
    let router = Router::new().fallback(async move |request: Request<Body>| {
        counter.fetch_add(1, Ordering::Relaxed);
        // What is refused in the middle of a body is refused by the connection.
        request
            .into_body()
            .collect()
            .await
            .map_or(0, |body| body.to_bytes().len())
            .to_string()
    });
    runtime(|runtime| {
        runtime.block_on(async {
            let (client, server) = duplex(PIPE_BYTES);
            let (mut reader, mut writer) = tokio::io::split(client);
            let write = async {
                // The server may have had enough before the end.
                if writer.write_all(data).await.is_ok() {
                    writer.shutdown().await.unwrap_or_default();
                }
            };
            let read = async {
                let mut answer = vec![0; PIPE_BYTES];
                while reader.read(&mut answer).await.is_ok_and(|read| read > 0) {}
            };
            tokio::join!(
                service::http::fuzzing::converse(server, None, router),
                write,
                read
            );
        });
    });
    let is_http2 = data.starts_with(b"PRI * HTTP/2.0");
    let asked = data.windows(7).filter(|at| at == b"HTTP/1.").count();
    let served = served.load(Ordering::Relaxed);
    assert!(
        is_http2 || served <= asked,
        "{served} requests were served, {asked} came"
    );
}
