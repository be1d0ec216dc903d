//! Page tokens of ListOrders: opaque to callers, bound to the filters of their list.

use std::fmt::Write;

use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::queries::{ListFilter, PageKey};

/// Bytes of an instant and an id.
const KEY_BYTES: usize = 8 + 16;
/// Bytes of the seal: enough to tell a token of ours from any other; it guards nothing.
const SEAL_BYTES: usize = 8;

/// The token of the page after `key`; `None` for a key that no order has.
pub(super) fn token(filter: &ListFilter, key: &PageKey) -> Option<String> {
    let id = Uuid::try_parse(&key.id).ok()?;
    let mut bytes = Vec::with_capacity(KEY_BYTES + SEAL_BYTES);
    bytes.extend(key.created_at.to_be_bytes());
    bytes.extend(id.as_bytes());
    bytes.extend(seal(filter, &bytes));
    Some(bytes.iter().fold(String::new(), |mut token, byte| {
        // Writing to a `String` cannot fail.
        let _ = write!(token, "{byte:02x}");
        token
    }))
}

/// The key in a token; `None` for what [`token`] did not give out for this filter.
pub(super) fn key(filter: &ListFilter, token: &str) -> Option<PageKey> {
    let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if token.len() != 2 * (KEY_BYTES + SEAL_BYTES) || !token.bytes().all(is_hex) {
        return None;
    }
    let bytes: Option<Vec<u8>> = (0..token.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(token.get(at..at + 2)?, 16).ok())
        .collect();
    let bytes = bytes?;
    let (key, sealed) = bytes.split_at_checked(KEY_BYTES)?;
    if seal(filter, key) != *sealed {
        return None;
    }
    let (created_at, id) = key.split_first_chunk::<8>()?;
    let id = Uuid::from_slice(id).ok()?.to_string();
    Some(PageKey { created_at: i64::from_be_bytes(*created_at), id })
}

/// Digest of filter and key; each part with its length, so that no two read the same.
fn seal(filter: &ListFilter, key: &[u8]) -> [u8; SEAL_BYTES] {
    let mut hash = Sha256::new();
    let mut part = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_be_bytes());
        hash.update(bytes);
    };
    part(b"ListOrders");
    let ListFilter { customer_id, status, reference } = filter;
    // What is not set and what is empty filter alike.
    part(customer_id.as_deref().unwrap_or_default().as_bytes());
    part(status.map_or("", |status| status.as_str()).as_bytes());
    part(reference.as_deref().unwrap_or_default().as_bytes());
    part(key);
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
