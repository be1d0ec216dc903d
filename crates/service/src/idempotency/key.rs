//! Reads a key from a request.

use prost::Message;
use sha2::{Digest, Sha256};
use tonic::metadata::MetadataMap;

use crate::refusal::Refusal;

/// The request metadata that carries the key.
const HEADER: &str = "idempotency-key";
/// The response metadata (value `true`) that says an answer is a replay.
pub const REPLAYED: &str = "idempotency-replayed";
const KEY_MAX: usize = 255;

/// What a caller's key stands for: one method, one message, and what else decides its effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// Whose key it is; `global` as long as callers have no names.
    pub scope: String,
    /// The caller's key.
    pub key: String,
    /// The method, for example `oms.v1.OrderService/PayOrder`.
    pub method: &'static str,
    /// SHA-256 of method, message and what else it is bound to, in hexadecimal.
    pub request_hash: String,
}

impl IdempotencyKey {
    /// The key of a request, if it carries one.
    ///
    /// # Errors
    /// INVALID_ARGUMENT when the key is not 1 to 255 printable ASCII characters, or given twice.
    pub fn from_request<M: Message>(
        metadata: &MetadataMap,
        method: &'static str,
        message: &M,
    ) -> Result<Option<Self>, Refusal> {
        let mut values = metadata.get_all(HEADER).iter();
        let Some(value) = values.next() else { return Ok(None) };
        let key = value.to_str().unwrap_or_default();
        let printable = key.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        if key.is_empty() || key.len() > KEY_MAX || !printable || values.next().is_some() {
            return Err(Refusal::invalid_field(
                HEADER,
                format!("{HEADER} must be one text of 1 to {KEY_MAX} printable ASCII characters"),
            ));
        }
        let mut hash = Sha256::new();
        hash.update(method);
        hash.update([0]);
        hash.update(message.encode_to_vec());
        let request_hash = hexadecimal(hash);
        Ok(Some(Self { scope: "global".to_owned(), key: key.to_owned(), method, request_hash }))
    }

    /// The same key, bound to request metadata that decides the effect as well: with another value
    /// the call is another one.
    #[must_use]
    pub fn bound_to(self, metadata: &'static str, value: &str) -> Self {
        let mut hash = Sha256::new();
        // Metadata names have no NUL, and what comes before has always the same length.
        for part in [&self.request_hash, metadata, "\0", value] {
            hash.update(part);
        }
        Self { request_hash: hexadecimal(hash), ..self }
    }
}

fn hexadecimal(hash: Sha256) -> String {
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
