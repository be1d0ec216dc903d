//! Page tokens of ListOrders: opaque to callers, bound to the filters of their list.

use std::fmt::Write;

use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::queries::{ListFilter, PageKey};

/// Bytes of an instant and an id.
pub(super) const KEY_BYTES: usize = 8 + 16;
/// Bytes of the seal: enough to tell a token of ours from any other; it guards nothing.
pub(super) const SEAL_BYTES: usize = 8;

/// The token of the page after `key`; `None` for a key that no order has.
pub(super) fn token(filter: &ListFilter, key: &PageKey) -> Option<String> {
    let mut bytes = key_bytes(key)?;
    bytes.extend(seal(filter, &bytes));
    Some(written(&bytes))
}

/// Bytes as a token's text.
pub(super) fn written(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut token, byte| {
        // Writing to a `String` cannot fail.
        let _ = write!(token, "{byte:02x}");
        token
    })
}

/// So many bytes of a token's text; `None` for what [`written`] did not write.
pub(super) fn read(token: &str, bytes: usize) -> Option<Vec<u8>> {
    let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if token.len() != 2 * bytes || !token.bytes().all(is_hex) {
        return None;
    }
    let byte = |at| u8::from_str_radix(token.get(at..at + 2)?, 16).ok();
    (0..token.len()).step_by(2).map(byte).collect()
}

/// The key in a token; `None` for what [`token`] did not give out for this filter.
pub(super) fn key(filter: &ListFilter, token: &str) -> Option<PageKey> {
    let bytes = read(token, KEY_BYTES + SEAL_BYTES)?;
    let (key, sealed) = bytes.split_at_checked(KEY_BYTES)?;
    if seal(filter, key) != *sealed {
        return None;
    }
    key_of(key)
}

/// A key as bytes; `None` for one that no order has.
pub(super) fn key_bytes(key: &PageKey) -> Option<Vec<u8>> {
    let id = Uuid::try_parse(&key.id).ok()?;
    Some([&key.created_at.to_be_bytes()[..], id.as_bytes()].concat())
}

/// The key of [`KEY_BYTES`] bytes.
pub(super) fn key_of(bytes: &[u8]) -> Option<PageKey> {
    let (created_at, id) = bytes.split_first_chunk::<8>()?;
    let id = Uuid::from_slice(id).ok()?.to_string();
    Some(PageKey { created_at: i64::from_be_bytes(*created_at), id })
}

fn seal(filter: &ListFilter, key: &[u8]) -> [u8; SEAL_BYTES] {
    let ListFilter { customer_id, status, reference } = filter;
    seal_of(&[
        b"ListOrders",
        // What is not set and what is empty filter alike.
        customer_id.as_deref().unwrap_or_default().as_bytes(),
        status.map_or("", |status| status.as_str()).as_bytes(),
        reference.as_deref().unwrap_or_default().as_bytes(),
        key,
    ])
}

/// Digest of parts; each with its length, so that no two read the same.
pub(super) fn seal_of(parts: &[&[u8]]) -> [u8; SEAL_BYTES] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let digest = hash.finalize();
    std::array::from_fn(|at| digest[at])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Status;

    fn filter(customer: &str, status: Option<Status>, reference: &str) -> ListFilter {
        let set = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        ListFilter { customer_id: set(customer), status, reference: set(reference) }
    }

    fn page_key() -> PageKey {
        let id = "0190f5fe-7a3b-7000-8000-0000000000ff".to_owned();
        PageKey { created_at: 1_760_000_000_000_001, id }
    }

    #[test]
    fn a_token_gives_its_key_back_to_its_own_filter_alone() {
        let filters = [
            filter("", None, ""),
            filter("a", None, ""),
            filter("", None, "a"),
            filter("", Some(Status::Paid), ""),
            filter("a", Some(Status::Paid), "a"),
            filter("paid", None, ""),
        ];
        for given in &filters {
            let token = token(given, &page_key()).unwrap();
            assert_eq!(token.len(), 64);
            for asked in &filters {
                let expected = (asked == given).then(page_key);
                assert_eq!(key(asked, &token), expected, "{given:?} {asked:?}");
            }
        }
    }

    #[test]
    fn what_was_never_given_out_is_refused() {
        let all = filter("", None, "");
        let given = token(&all, &page_key()).unwrap();
        for at in 0..given.len() {
            let mut changed = given.clone().into_bytes();
            changed[at] = if changed[at] == b'0' { b'1' } else { b'0' };
            assert_eq!(key(&all, std::str::from_utf8(&changed).unwrap()), None, "{at}");
        }
        let shouted = given.to_uppercase();
        let wide = "é".repeat(32);
        for bad in ["", "0", &given[2..], &format!("{given}00"), &shouted, &wide] {
            assert_eq!(key(&all, bad), None, "{bad}");
        }
    }
}
