//! Page tokens of GetOrders: opaque to callers. They know the number of their page.

use super::super::page_token::{KEY_BYTES, SEAL_BYTES, key_bytes, key_of, read, seal_of, written};
use crate::queries::PageKey;

const NUMBER_BYTES: usize = 4;

/// The page after a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NextPage {
    pub(super) key: PageKey,
    /// From 1.
    pub(super) number: i32,
}

/// The token of a page; `None` for a key that no order has.
pub(super) fn token(next: &NextPage) -> Option<String> {
    let mut bytes = key_bytes(&next.key)?;
    bytes.extend(next.number.to_be_bytes());
    bytes.extend(seal_of(&[b"GetOrders", &bytes]));
    Some(written(&bytes))
}

/// The page of a token; `None` for what [`token`] did not give out.
pub(super) fn next(token: &str) -> Option<NextPage> {
    let bytes = read(token, KEY_BYTES + NUMBER_BYTES + SEAL_BYTES)?;
    let (sealed, seal) = bytes.split_at_checked(KEY_BYTES + NUMBER_BYTES)?;
    if seal_of(&[b"GetOrders", sealed]) != *seal {
        return None;
    }
    let (key, number) = sealed.split_last_chunk::<NUMBER_BYTES>()?;
    Some(NextPage { key: key_of(key)?, number: i32::from_be_bytes(*number) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_gives_its_page_back_and_a_damaged_one_nothing() {
        let id = "0190f5fe-7a3b-7000-8000-0000000000ff".to_owned();
        let page = NextPage { key: PageKey { created_at: 1_760_000_000_000_001, id }, number: 7 };
        let given = token(&page).unwrap();
        assert_eq!(next(&given), Some(page));
        for at in 0..given.len() {
            let mut changed = given.clone().into_bytes();
            changed[at] = if changed[at] == b'0' { b'1' } else { b'0' };
            assert_eq!(next(std::str::from_utf8(&changed).unwrap()), None, "{at}");
        }
        for bad in ["", &given[2..], &given.to_uppercase(), &format!("{given}00")] {
            assert_eq!(next(bad), None, "{bad}");
        }
    }
}
