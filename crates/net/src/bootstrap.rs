//! The list of relays that a peer begins with: one small JSON file beside the page, the same for relay, tools and page.
//!
//! ```json
//! {"network":"haggle","relays":["/dns4/relay.example.org/tcp/443/wss/p2p/12D3Koo…"],"stun":["stun:relay.example.org:3478"]}
//! ```
//!
//! Fields that are not known are passed over, and so are relays whose address this version does not understand: a newer
//! file must not lock an older page out.

use crate::addr::RelayAddr;

/// The name of the file beside the page.
pub const FILE_NAME: &str = "relays.json";
/// The longest list that is read, in bytes.
pub const FILE_MAX: usize = 64 * 1_024;
/// Relays that are read from one list.
pub const RELAYS_MAX: usize = 64;
/// STUN servers that are read from one list.
pub const STUN_MAX: usize = 8;

/// Why a list was not read.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// Longer than [`FILE_MAX`].
    #[error("the list of relays is longer than 64 KiB")]
    TooLong,
    /// Not the JSON that is meant.
    #[error("the list of relays is not readable: {0}")]
    Json(#[from] serde_json::Error),
}

/// Where a peer begins.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct RelayList {
    /// The name of the market.
    pub network: String,
    /// Relays, the most local first.
    pub relays: Vec<RelayAddr>,
    /// STUN servers as WebRTC writes them, `stun:host:port`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stun: Vec<String>,
}

#[derive(serde::Deserialize)]
struct Raw {
    network: String,
    relays: Vec<String>,
    #[serde(default)]
    stun: Vec<String>,
}

impl RelayList {
    /// A list without relays.
    #[must_use]
    pub fn empty(network: &str) -> Self {
        Self {
            network: network.to_owned(),
            relays: Vec::new(),
            stun: Vec::new(),
        }
    }

    /// Reads a list. Relays that do not parse are left out; at most [`RELAYS_MAX`] are taken, each once.
    ///
    /// # Errors
    /// [`ListError`] if it is too long or not JSON of this shape.
    pub fn from_json(json: &[u8]) -> Result<Self, ListError> {
        if json.len() > FILE_MAX {
            return Err(ListError::TooLong);
        }
        let raw: Raw = serde_json::from_slice(json)?;
        let mut relays: Vec<RelayAddr> = Vec::new();
        for text in &raw.relays {
            let Ok(relay) = RelayAddr::parse(text) else {
                continue;
            };
            if relays.len() < RELAYS_MAX && !relays.contains(&relay) {
                relays.push(relay);
            }
        }
        let stun = raw
            .stun
            .into_iter()
            .filter(|server| is_stun(server))
            .take(STUN_MAX)
            .collect();
        Ok(Self {
            network: raw.network,
            relays,
            stun,
        })
    }

    /// Writes the list.
    ///
    /// # Errors
    /// [`ListError::Json`], which does not happen for strings and lists.
    pub fn to_json(&self) -> Result<String, ListError> {
        Ok(serde_json::to_string(self)?)
    }
}

fn is_stun(server: &str) -> bool {
    server.len() <= 256
        && (server.starts_with("stun:") || server.starts_with("stuns:"))
        && server.bytes().all(|c| c.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str =
        "/dns4/a.example.org/tcp/443/wss/p2p/12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN";

    #[test]
    fn a_list_is_read_as_it_was_written() {
        let list = RelayList {
            network: "haggle".to_owned(),
            relays: vec![RelayAddr::parse(A).unwrap()],
            stun: vec!["stun:a.example.org:3478".to_owned()],
        };
        let json = list.to_json().unwrap();
        assert_eq!(RelayList::from_json(json.as_bytes()).unwrap(), list);
        let plain = RelayList::empty("haggle").to_json().unwrap();
        assert_eq!(plain, r#"{"network":"haggle","relays":[]}"#);
    }

    #[test]
    fn what_a_newer_list_says_is_passed_over_and_the_rest_is_read() {
        let json = format!(
            r#"{{"network":"haggle","v":7,"relays":["/new-transport/x","{A}","{A}"],"stun":["turn:x","stun:b:1"]}}"#
        );
        let list = RelayList::from_json(json.as_bytes()).unwrap();
        assert_eq!(list.relays.len(), 1);
        assert_eq!(list.stun, ["stun:b:1"]);
    }

    #[test]
    fn a_list_without_relays_or_beyond_its_bound_is_an_error() {
        assert!(matches!(
            RelayList::from_json(b"{}"),
            Err(ListError::Json(_))
        ));
        assert!(matches!(
            RelayList::from_json(&vec![b' '; FILE_MAX + 1]),
            Err(ListError::TooLong)
        ));
    }
}
