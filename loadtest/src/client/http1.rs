//! HTTP/1.1 on one connection.

use std::io::{IoSlice, Write as _};

use anyhow::Context;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::answer::{self, Head};
use super::{Answer, Request};
use crate::protocol::Protocol;

/// A connection with its buffers, which are kept.
pub(crate) struct Client {
    stream: TcpStream,
    protocol: Protocol,
    /// The head up to the number of the body's bytes.
    fixed: Vec<u8>,
    head: Vec<u8>,
    body: Vec<u8>,
    input: Vec<u8>,
    is_open: bool,
}

impl Client {
    pub(super) fn new(stream: TcpStream, request: &Request) -> Self {
        let mut fixed = format!(
            "POST {} HTTP/1.1\r\nhost: {}\r\nuser-agent: sluice-loadtest\r\n",
            request.path, request.target
        );
        for (name, value) in &request.headers {
            fixed.push_str(name);
            fixed.push_str(": ");
            fixed.push_str(value);
            fixed.push_str("\r\n");
        }
        fixed.push_str("content-length: ");
        Self {
            stream,
            protocol: request.protocol,
            fixed: fixed.into_bytes(),
            head: Vec::new(),
            body: Vec::new(),
            input: Vec::new(),
            is_open: true,
        }
    }

    pub(super) fn body(&mut self) -> &mut Vec<u8> {
        self.body.clear();
        &mut self.body
    }

    pub(super) const fn is_open(&self) -> bool {
        self.is_open
    }

    pub(super) async fn post(&mut self) -> anyhow::Result<Answer> {
        let answer = self.exchange().await;
        self.is_open &= answer.is_ok();
        answer
    }

    async fn exchange(&mut self) -> anyhow::Result<Answer> {
        self.head.clear();
        self.head.extend_from_slice(&self.fixed);
        write!(self.head, "{}\r\n\r\n", self.body.len())?;
        let parts = [IoSlice::new(&self.head), IoSlice::new(&self.body)];
        let written = self.stream.write_vectored(&parts).await?;
        if let Some(rest) = self.head.get(written..) {
            self.stream.write_all(rest).await?;
        }
        let of_body = written.saturating_sub(self.head.len());
        let rest = self.body.get(of_body..).unwrap_or_default();
        self.stream.write_all(rest).await?;
        self.input.clear();
        let mut is_closed = false;
        let mut head: Option<Head> = None;
        loop {
            if head.is_none() {
                head = answer::head(&self.input)?;
            }
            if let Some(head) = &head {
                let rest = self.input.get(head.len..).unwrap_or_default();
                if let Some(len) = answer::body_len(head.end, rest, is_closed) {
                    self.is_open = !head.closes && !is_closed;
                    let body = rest.get(..len).unwrap_or_default();
                    return Ok(Answer {
                        status: head.status,
                        retry_after: head.retry_after,
                        is_partial: (200..300).contains(&head.status)
                            && self.protocol.is_partial(body),
                    });
                }
            }
            anyhow::ensure!(!is_closed, "the connection was closed before the answer");
            let read = self.stream.read_buf(&mut self.input);
            is_closed = read.await.context("no answer")? == 0;
        }
    }
}
