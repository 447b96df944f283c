//! Which extensions a client offers (RFC 6455 section 9.1), and what of permessage-deflate is agreed on (RFC 7692 section 7.1).

use super::Window;
use http::{HeaderMap, header};
use std::fmt;

/// How messages may be compressed. Neither side takes anything over from one message to the next: what we compress is shared by
/// clients that have got different messages before it, and what inflates for a client would cost more than all else that is
/// kept of it.
///
/// Its text is the value of `Sec-WebSocket-Extensions` in the answer. That the client is bound too may be said even if it has not
/// offered it (RFC 7692 section 7.1.1.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deflate {
    /// How far back we may refer.
    pub window: Window,
    /// Whether the client wants to be told.
    tells_window: bool,
}

impl Deflate {
    /// What is agreed on of what a client offers: its first offer that can be kept, if there is one. An offer that cannot be read
    /// is one that cannot be kept.
    pub fn agree(headers: &HeaderMap) -> Option<Deflate> {
        let values = headers.get_all(header::SEC_WEBSOCKET_EXTENSIONS).iter();
        let mut offers = values.filter_map(|value| value.to_str().ok()).flat_map(|value| split(value, b','));
        offers.find_map(Deflate::accept)
    }

    fn accept(offer: &str) -> Option<Deflate> {
        let mut parts = split(offer, b';');
        if parts.next()?.trim_matches(BLANKS) != "permessage-deflate" {
            return None;
        }
        let mut seen = Vec::new();
        let mut window = None;
        for part in parts {
            let (name, value) = parameter(part)?;
            match (name, value.as_deref()) {
                _ if seen.contains(&name) => return None,
                (
                    "server_no_context_takeover" | "client_no_context_takeover" | "client_max_window_bits",
                    None,
                ) => {}
                ("client_max_window_bits", Some(bits)) => window_bits(bits).map(drop)?,
                ("server_max_window_bits", Some(bits)) => window = Some(window_of(window_bits(bits)?)?),
                _ => return None,
            }
            seen.push(name);
        }
        Some(Deflate { window: window.unwrap_or(Window::Whole), tells_window: window.is_some() })
    }
}

impl fmt::Display for Deflate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("permessage-deflate; server_no_context_takeover; client_no_context_takeover")?;
        if self.tells_window {
            write!(f, "; server_max_window_bits={}", self.window.bits())?;
        }
        Ok(())
    }
}

const BLANKS: [char; 2] = [' ', '\t'];

/// The parts between these separators; those within quotes are none.
fn split(text: &str, separator: u8) -> impl Iterator<Item = &str> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    text.split(move |next: char| {
        let is_separator = !is_quoted && next == char::from(separator);
        is_quoted ^= next == '"' && !is_escaped;
        is_escaped = is_quoted && next == '\\' && !is_escaped;
        is_separator
    })
}

/// A name, and the value that it has; of quotes what is in them, which has to be a token too.
fn parameter(text: &str) -> Option<(&str, Option<String>)> {
    let (name, value) = match text.split_once('=') {
        None => (text, None),
        Some((name, value)) => (name, Some(unquoted(value.trim_matches(BLANKS)))),
    };
    let name = name.trim_matches(BLANKS);
    Some((name, value)).filter(|(name, value)| is_token(name) && value.as_deref().is_none_or(is_token))
}

fn unquoted(value: &str) -> String {
    let Some(inner) = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return value.to_owned();
    };
    let mut is_escaped = false;
    let kept = inner.chars().filter(|&next| {
        is_escaped = next == '\\' && !is_escaped;
        !is_escaped
    });
    kept.collect()
}

/// RFC 9110 section 5.6.2.
fn is_token(text: &str) -> bool {
    let is_in_tokens = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_in_tokens)
}

/// RFC 7692 section 7.1.2: 8 to 15, without leading zeros.
fn window_bits(value: &str) -> Option<u8> {
    let bits = value.parse().ok().filter(|bits| (8..=15).contains(bits))?;
    value.starts_with(['8', '9', '1']).then_some(bits)
}

/// The window for a client that can take so much. Nothing compresses with 256 bytes: zlib itself cannot.
fn window_of(bits: u8) -> Option<Window> {
    [Window::Whole, Window::Least].into_iter().find(|window| window.bits() <= bits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn agree(values: &[&str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for value in values {
            let value = HeaderValue::from_str(value).expect("a value");
            headers.append(header::SEC_WEBSOCKET_EXTENSIONS, value);
        }
        Deflate::agree(&headers).map(|deflate| deflate.to_string())
    }

    const PLAIN: &str = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

    #[test]
    fn an_offer_that_can_be_kept_is_accepted() {
        let check = |offer: &str, more: &str| {
            assert_eq!(agree(&[offer]), Some(format!("{PLAIN}{more}")), "{offer}");
        };
        check("permessage-deflate", "");
        check("permessage-deflate; client_max_window_bits", "");
        check("permessage-deflate;client_max_window_bits=8", "");
        check("permessage-deflate; server_no_context_takeover; client_no_context_takeover", "");
        check(" permessage-deflate\t;  server_max_window_bits = 15 ", "; server_max_window_bits=15");
        check("permessage-deflate; server_max_window_bits=14", "; server_max_window_bits=9");
        check("permessage-deflate; server_max_window_bits=9", "; server_max_window_bits=9");
        check(r#"permessage-deflate; server_max_window_bits="10""#, "; server_max_window_bits=9");
        check(r#"permessage-deflate; server_max_window_bits="1\5""#, "; server_max_window_bits=15");
        check("x-webkit-deflate-frame, permessage-deflate", "");
        check(", ,permessage-deflate,", "");
    }

    #[test]
    fn an_offer_that_cannot_be_kept_is_declined() {
        let check = |offer: &str| assert_eq!(agree(&[offer]), None, "{offer}");
        check("");
        check("permessage-bzip2");
        check("permessage-deflate2");
        check("permessage-deflate; server_max_window_bits");
        check("permessage-deflate; server_max_window_bits=8");
        check("permessage-deflate; server_max_window_bits=16");
        check("permessage-deflate; server_max_window_bits=7");
        check("permessage-deflate; server_max_window_bits=09");
        check("permessage-deflate; server_max_window_bits=+9");
        check("permessage-deflate; server_max_window_bits=");
        check(r#"permessage-deflate; server_max_window_bits="9"#);
        check(r#"permessage-deflate; server_max_window_bits="9 ""#);
        check("permessage-deflate; client_max_window_bits=16");
        check("permessage-deflate; server_no_context_takeover=1");
        check("permessage-deflate; client_no_context_takeover; client_no_context_takeover");
        check("permessage-deflate; server_max_window_bits=9; server_max_window_bits=15");
        check("permessage-deflate; unheard_of");
        check("permessage-deflate;");
        check(r#"x; y=", permessage-deflate""#);
    }

    #[test]
    fn the_first_offer_that_can_be_kept_counts_whichever_header_it_is_in() {
        let check = |values: &[&str], more: &str| {
            assert_eq!(agree(values), Some(format!("{PLAIN}{more}")), "{values:?}");
        };
        check(
            &["permessage-deflate; server_max_window_bits=10, permessage-deflate"],
            "; server_max_window_bits=9",
        );
        check(&["permessage-deflate; server_max_window_bits=8, permessage-deflate"], "");
        check(&["permessage-deflate; unheard_of", "permessage-deflate"], "");
        check(&[r#"x; y="a,\"b;", permessage-deflate"#], "");
    }
}
