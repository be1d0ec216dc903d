//! Calls that no generated client makes: any bytes, any metadata, and nobody's clock but the
//! server's.

use std::net::SocketAddr;

use axum::body::Bytes;
use h2::client::SendRequest;
use http::{HeaderMap, HeaderName, HeaderValue, Request};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tonic::{Code, Status};

/// The body of a request that carries `message`, uncompressed.
///
/// # Panics
/// When the message has more than 4 GiB.
#[must_use]
pub fn framed(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).expect("a message below 4 GiB");
    [&[0], &length.to_be_bytes()[..], message].concat()
}

/// Calls the method at `path` on a connection of its own, with a body as it is. Tells what the
/// response's head and trailers held.
///
/// # Errors
/// The status, unless it is OK; its metadata is that of the whole response.
///
/// # Panics
/// When the server hangs up without a status.
#[allow(clippy::result_large_err, reason = "tonic's own error type")]
pub async fn call_raw(
    address: SocketAddr,
    path: &str,
    metadata: &[(&'static str, &[u8])],
    body: Vec<u8>,
) -> Result<HeaderMap, Status> {
    let stream = TcpStream::connect(address).await.expect("a connection");
    call_over(stream, &format!("http://{address}"), path, metadata, body).await
}

/// As [`call_raw`], over a connection that is open already to `origin`.
///
/// # Errors
/// As [`call_raw`].
///
/// # Panics
/// As [`call_raw`].
#[allow(clippy::result_large_err, reason = "tonic's own error type")]
pub async fn call_over(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    origin: &str,
    path: &str,
    metadata: &[(&'static str, &[u8])],
    body: Vec<u8>,
) -> Result<HeaderMap, Status> {
    let (client, connection) = h2::client::handshake(stream).await.expect("HTTP/2");
    let uri = format!("{origin}{path}");
    let headers = tokio::select! {
        headers = exchange(client, &uri, metadata, body) => headers,
        ended = connection => panic!("{path}: the server hung up: {ended:?}"),
    };
    let status = Status::from_header_map(&headers);
    let status = status.unwrap_or_else(|| panic!("{path}: no status in {headers:?}"));
    if status.code() == Code::Ok { Ok(headers) } else { Err(status) }
}

async fn exchange(
    client: SendRequest<Bytes>,
    uri: &str,
    metadata: &[(&'static str, &[u8])],
    body: Vec<u8>,
) -> HeaderMap {
    let mut request = Request::post(uri).body(()).expect("a request");
    let headers = request.headers_mut();
    headers.insert("content-type", HeaderValue::from_static("application/grpc"));
    headers.insert("te", HeaderValue::from_static("trailers"));
    for (name, value) in metadata {
        let value = HeaderValue::from_bytes(value).expect("a header's value");
        headers.append(HeaderName::from_static(name), value);
    }
    let mut client = client.ready().await.expect("a stream");
    let (response, mut sending) = client.send_request(request, false).expect("a stream");
    // The server may answer, and close its side, before it has read everything.
    let _ = sending.send_data(body.into(), true);
    let (head, mut body) = response.await.expect("an answer").into_parts();
    let mut headers = head.headers;
    while let Some(Ok(chunk)) = body.data().await {
        let _ = body.flow_control().release_capacity(chunk.len());
    }
    if let Ok(Some(trailers)) = body.trailers().await {
        headers.extend(trailers);
    }
    headers
}
