//! The page's address: which screen is shown and as whom. It stands behind `#`, so no server ever sees it.
//!
//! `#as=ben&at=market` is Ben's market. `relay=` carries the address of a relay that somebody shares; the
//! page asks before it adds it, then drops it from the address.

/// A screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Screen {
    /// Say what I want.
    #[default]
    Ask,
    /// What I said, and the quotes.
    Requests,
    /// What others want.
    Market,
    /// What I offer.
    Stall,
    /// Orders and trades.
    Trades,
    /// Purses and mints.
    Money,
    /// What I decide for others.
    Cases,
}

impl Screen {
    /// All of them, in the order of the navigation.
    pub const ALL: [Self; 7] = [
        Self::Ask,
        Self::Requests,
        Self::Market,
        Self::Stall,
        Self::Trades,
        Self::Money,
        Self::Cases,
    ];

    /// Its name in the address.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ask => "ask",
            Self::Requests => "requests",
            Self::Market => "market",
            Self::Stall => "stall",
            Self::Trades => "trades",
            Self::Money => "money",
            Self::Cases => "cases",
        }
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|screen| screen.name() == name)
    }
}

/// What the address says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Route {
    /// The profile's name; empty for the nameless one.
    pub profile: String,
    /// The screen.
    pub screen: Screen,
    /// A relay that somebody shares.
    pub relay: Option<String>,
}

/// The longest name of a profile, in characters; the store allows no more.
pub const PROFILE_MAX: usize = 64;

/// The longest address of a relay that is read from a link, in bytes: longer ones are no relay's.
pub const RELAY_MAX: usize = 256;

impl Route {
    /// From what stands behind `#`, with or without it. What it does not understand is left out.
    #[must_use]
    pub fn parse(hash: &str) -> Self {
        let mut route = Self::default();
        for part in hash.trim_start_matches('#').split('&') {
            let Some((key, value)) = part.split_once('=') else {
                continue;
            };
            let value = decode(value);
            match key {
                "as" => route.profile = profile_name(&value),
                "at" => route.screen = Screen::named(&value).unwrap_or_default(),
                "relay" if !value.is_empty() && value.len() <= RELAY_MAX => {
                    route.relay = Some(value);
                }
                _ => {}
            }
        }
        route
    }

    /// As it stands behind `#`, with it. A shared relay is not kept.
    #[must_use]
    pub fn hash(&self) -> String {
        let mut hash = String::from("#");
        if !self.profile.is_empty() {
            hash.push_str("as=");
            hash.push_str(&encode(&self.profile));
            hash.push('&');
        }
        hash.push_str("at=");
        hash.push_str(self.screen.name());
        hash
    }

    /// The same person on another screen.
    #[must_use]
    pub fn to(&self, screen: Screen) -> Self {
        let profile = self.profile.clone();
        Self {
            profile,
            screen,
            relay: None,
        }
    }
}

/// What a link to this page with a relay in it has behind its `#`.
#[must_use]
pub fn relay_hash(address: &str) -> String {
    format!("#relay={}", encode(address))
}

/// What of a text can be a profile's name.
#[must_use]
pub fn profile_name(text: &str) -> String {
    let kept = text.trim().chars().filter(|c| !c.is_control());
    kept.take(PROFILE_MAX).collect()
}

/// Percent-encoding (RFC 3986) of everything but the unreserved characters and `/`, which keeps relay
/// addresses readable and is allowed in a fragment.
fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            for nibble in [byte >> 4, byte & 15] {
                out.push(char::from(b"0123456789ABCDEF"[usize::from(nibble)]));
            }
        }
    }
    out
}

fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).and_then(|c| char::from(*c).to_digit(16));
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        match (bytes[at], digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push(u8::try_from(high * 16 + low).unwrap_or(b'?'));
                at += 3;
            }
            (byte, _, _) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_as_it_was_written_whatever_the_name() {
        for profile in ["", "ben", "Jörg & Söhne", "50%", "a=b", "名前"] {
            for screen in Screen::ALL {
                let route = Route {
                    profile: profile.into(),
                    screen,
                    relay: None,
                };
                assert_eq!(Route::parse(&route.hash()), route);
            }
        }
    }

    #[test]
    fn nonsense_leads_to_the_first_screen() {
        for hash in ["", "#", "#at=nowhere", "#%", "#as", "#&&=&", "#at=%zz"] {
            assert_eq!(Route::parse(hash), Route::default(), "{hash}");
        }
    }

    #[test]
    fn a_shared_relay_is_read_once_and_not_kept() {
        let address = "/ip4/127.0.0.1/tcp/4001/ws/p2p/12D3KooWExample";
        let route = Route::parse(&relay_hash(address));
        assert_eq!(route.relay.as_deref(), Some(address));
        assert!(!route.hash().contains("relay"));
        let long = format!("#relay={}", "x".repeat(RELAY_MAX + 1));
        assert_eq!(Route::parse(&long).relay, None);
    }

    #[test]
    fn a_name_from_an_address_is_cut_to_what_a_store_takes() {
        let long = format!("#as={}%00%0a", "x".repeat(100));
        let profile = Route::parse(&long).profile;
        assert_eq!(profile.chars().count(), PROFILE_MAX);
        assert!(!profile.chars().any(char::is_control));
    }
}
