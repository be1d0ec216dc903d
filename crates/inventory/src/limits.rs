//! Bounds on what callers and files may say, with their units.

/// Longest SKU, in bytes.
pub const SKU_BYTES_MAX: usize = 256;
/// Longest note of a receipt, in bytes.
pub const NOTE_BYTES_MAX: usize = 256;
/// Longest reason of an adjustment, in bytes.
pub const REASON_BYTES_MAX: usize = 1_024;
/// Most units booked by one receipt or adjustment.
pub const RECEIVE_MAX: i64 = 1_000_000_000;
/// Rows of a page where the caller names no size.
pub const PAGE_DEFAULT: u64 = 50;
/// Most rows of a page.
pub const PAGE_MAX: u64 = 1_000;

/// Checks a SKU.
///
/// # Errors
/// What is wrong with it, for people.
pub fn sku(sku: &str) -> Result<(), String> {
    if sku.trim().is_empty() {
        return Err("sku is required".to_owned());
    }
    text("sku", sku, SKU_BYTES_MAX)
}

/// Checks a text of at most `bytes_max` bytes. Control characters are refused: they cannot be seen
/// in a list, and PostgreSQL cannot store NUL.
///
/// # Errors
/// What is wrong with it, for people.
pub fn text(field: &str, text: &str, bytes_max: usize) -> Result<(), String> {
    if text.len() > bytes_max {
        return Err(format!("{field} must be at most {bytes_max} bytes"));
    }
    if text.chars().any(char::is_control) {
        return Err(format!("{field} must not contain control characters"));
    }
    Ok(())
}

/// Checks a quantity to book in.
///
/// # Errors
/// What is wrong with it, for people.
pub fn received(qty: i64) -> Result<(), String> {
    match qty {
        1..=RECEIVE_MAX => Ok(()),
        ..1 => Err("qty must be positive".to_owned()),
        _ => Err(format!("qty must be at most {RECEIVE_MAX}")),
    }
}

/// Checks a correction.
///
/// # Errors
/// What is wrong with it, for people.
pub fn delta(delta: i64) -> Result<(), String> {
    match delta {
        0 => Err("delta must not be zero".to_owned()),
        d if d.unsigned_abs() > RECEIVE_MAX.unsigned_abs() => {
            Err(format!("delta must be between -{RECEIVE_MAX} and {RECEIVE_MAX}"))
        }
        _ => Ok(()),
    }
}
