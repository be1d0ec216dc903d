//! Page tokens: opaque to callers, bound to the list they belong to.

use std::fmt::Write;

/// The token after which a page of `list` begins. `list` names the method and its filter.
pub(super) fn token(list: &str, key: &str) -> String {
    let text = format!("{list}\n{key}");
    let mut token = format!("{:08x}", checksum(text.as_bytes()));
    for byte in text.bytes() {
        // Writing to a `String` cannot fail.
        let _ = write!(token, "{byte:02x}");
    }
    token
}

/// The key in a token of this `list`; `None` for what [`token`] did not give out for it.
pub(super) fn key(list: &str, token: &str) -> Option<String> {
    let (sum, hex) = token.split_at_checked(8)?;
    if hex.len() % 2 != 0 || !token.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let bytes: Option<Vec<u8>> = (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(hex.get(at..at + 2)?, 16).ok())
        .collect();
    let text = String::from_utf8(bytes?).ok()?;
    if u32::from_str_radix(sum, 16).ok()? != checksum(text.as_bytes()) {
        return None;
    }
    text.strip_prefix(list)?.strip_prefix('\n').map(str::to_owned)
}

/// FNV-1a: tells a mistyped token from a real one, no more.
fn checksum(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |sum, byte| (sum ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_gives_its_key_back_to_its_own_list_alone() {
        let given = token("stock", "SKU-é 1");
        assert_eq!(key("stock", &given).as_deref(), Some("SKU-é 1"));
        assert_eq!(key("movements", &given), None);
        assert_eq!(key("stoc", &given), None);
    }

    #[test]
    fn what_was_never_given_out_is_refused() {
        let given = token("stock", "a");
        let changed = format!("{}0", &given[..given.len() - 1]);
        for bad in ["", "a", "00000000", "zz", "00000000é", &given[1..], &changed, "+0000000"] {
            assert_eq!(key("stock", bad), None, "{bad}");
        }
    }
}
