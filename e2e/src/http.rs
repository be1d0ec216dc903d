//! A plain HTTP GET, as curl would send it.

use std::net::SocketAddr;

use anyhow::{Context, bail};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// The status and body of `GET path`.
///
/// # Errors
/// When nobody answers, or not in HTTP.
pub async fn get(address: SocketAddr, path: &str) -> anyhow::Result<(u16, String)> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").context("no HTTP answer")?;
    let (head, body) = (std::str::from_utf8(&answer[..end])?, &answer[end + 4..]);
    let status = head.split(' ').nth(1).context("no status line")?.parse()?;
    let in_chunks = head.to_lowercase().contains("\r\ntransfer-encoding: chunked");
    let body = if in_chunks { joined(body)? } else { body.to_vec() };
    Ok((status, String::from_utf8(body)?))
}

/// A body that came in chunks: each begins with a line that says how long it is.
fn joined(mut chunks: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line = chunks.windows(2).position(|bytes| bytes == b"\r\n").context("no chunk")?;
        let length = usize::from_str_radix(std::str::from_utf8(&chunks[..line])?.trim(), 16)?;
        if length == 0 {
            return Ok(body);
        }
        let Some(chunk) = chunks.get(line + 2..line + 2 + length) else { bail!("half a chunk") };
        body.extend_from_slice(chunk);
        chunks = chunks.get(line + 2 + length + 2..).context("no end of a chunk")?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_put_together_and_half_a_body_is_an_error() {
        assert_eq!(joined(b"3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n").unwrap(), b"abc0123456789");
        joined(b"3\r\nabc\r\n").unwrap_err();
        joined(b"3\r\nab").unwrap_err();
    }
}
