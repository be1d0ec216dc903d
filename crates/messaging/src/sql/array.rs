//! PostgreSQL's own text form of arrays, in which an element may be absent.
//!
//! Source: PostgreSQL manual, "Arrays", "Array Input and Output Syntax". sea-orm binds arrays of
//! values too, but none with an absent element.

use sea_orm::{DbErr, Value};

/// An array of these elements. Every present one is quoted, which is always allowed.
pub(super) fn literal(elements: impl IntoIterator<Item = Option<String>>) -> String {
    let mut text = String::from("{");
    for (n, element) in elements.into_iter().enumerate() {
        if n > 0 {
            text.push(',');
        }
        let Some(element) = element else {
            text.push_str("NULL");
            continue;
        };
        text.push('"');
        for character in element.chars() {
            if matches!(character, '"' | '\\') {
                text.push('\\');
            }
            text.push(character);
        }
        text.push('"');
    }
    text.push('}');
    text
}

/// A value as PostgreSQL reads it from text; `None` for an absent one.
///
/// # Errors
/// [`DbErr::Type`] for a type that no table of OMS has.
pub(super) fn element(value: Value) -> Result<Option<String>, DbErr> {
    Ok(match value {
        Value::Bool(value) => value.map(|value| value.to_string()),
        Value::Int(value) => value.map(|value| value.to_string()),
        Value::BigInt(value) => value.map(|value| value.to_string()),
        Value::String(value) => value,
        Value::Bytes(value) => value.map(|bytes| hexadecimal(&bytes)),
        other => return Err(DbErr::Type(format!("{other:?} in an array"))),
    })
}

/// The hex format of `bytea`.
fn hexadecimal(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    let mut text = String::with_capacity(2 + bytes.len() * 2);
    text.push_str("\\x");
    for byte in bytes {
        text.extend([DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 0xf)]]);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_could_end_an_element_is_escaped() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(literal([]), "{}");
        let elements = [some("a"), None, some("NULL"), some(""), some("b,{c}"), some("d\"\\e")];
        assert_eq!(literal(elements), r#"{"a",NULL,"NULL","","b,{c}","d\"\\e"}"#);
    }

    #[test]
    fn values_are_written_as_the_server_reads_them() {
        let written = |value| element(value).unwrap();
        assert_eq!(written(true.into()).as_deref(), Some("true"));
        assert_eq!(written((-7_i64).into()).as_deref(), Some("-7"));
        assert_eq!(written(vec![0_u8, 255].into()).as_deref(), Some("\\x00ff"));
        assert_eq!(written(Option::<String>::None.into()), None);
        assert!(matches!(element(0.5_f64.into()), Err(DbErr::Type(_))));
    }
}
