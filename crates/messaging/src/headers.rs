//! Key and headers of a record that is not ours, kept in a text column byte for byte.

use serde::{Deserialize, Serialize};

use crate::Failure;

/// Bytes as JSON: readable where they are text, a list of numbers where they are not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
enum Bytes {
    Text(String),
    Raw(Vec<u8>),
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        String::from_utf8(bytes).map_or_else(|raw| Self::Raw(raw.into_bytes()), Self::Text)
    }
}

impl From<Bytes> for Vec<u8> {
    fn from(bytes: Bytes) -> Self {
        match bytes {
            Bytes::Text(text) => text.into_bytes(),
            Bytes::Raw(raw) => raw,
        }
    }
}

/// What a dead letter keeps of its record besides the value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct StoredHeaders {
    /// The record's key.
    pub(crate) key: Option<Vec<u8>>,
    /// The record's headers, in order.
    pub(crate) headers: Vec<(String, Vec<u8>)>,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    key: Option<Bytes>,
    headers: Vec<(String, Bytes)>,
}

impl StoredHeaders {
    /// As the text of a `headers` column.
    pub(crate) fn to_text(&self) -> Result<String, Failure> {
        let stored = Stored {
            key: self.key.clone().map(Bytes::from),
            headers: self.headers.iter().map(|(n, v)| (n.clone(), v.clone().into())).collect(),
        };
        serde_json::to_string(&stored).map_err(|error| Failure::Unclassified(error.to_string()))
    }

    /// From the text of a `headers` column.
    pub(crate) fn parse(text: &str) -> Result<Self, Failure> {
        let stored: Stored = serde_json::from_str(text)
            .map_err(|error| Failure::Unclassified(format!("stored headers: {error}")))?;
        Ok(Self {
            key: stored.key.map(Vec::from),
            headers: stored.headers.into_iter().map(|(n, v)| (n, v.into())).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_bytes_come_back_as_they_were() {
        let stored = StoredHeaders {
            key: Some(vec![0xff, 0x00, b'k']),
            headers: vec![
                ("text".into(), "ü\0\"".into()),
                ("raw".into(), vec![0xc3, 0x28]),
                ("text".into(), Vec::new()),
            ],
        };
        assert_eq!(StoredHeaders::parse(&stored.to_text().unwrap()).unwrap(), stored);
        let none = StoredHeaders::default();
        assert_eq!(StoredHeaders::parse(&none.to_text().unwrap()).unwrap(), none);
    }
}
