//! What a client has to say before a connection becomes a WebSocket (RFC 6455 section 4.2.1), and which web pages may.

use http::{HeaderMap, Method, StatusCode, Version, header};

/// Why a handshake is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HandshakeError {
    /// Not a GET.
    #[error("a WebSocket handshake is a GET request")]
    Method,
    /// Not HTTP/1.1.
    #[error("a WebSocket handshake needs HTTP/1.1")]
    Version,
    /// `Upgrade` or `Connection` does not say so.
    #[error(
        "this is a WebSocket endpoint: connect with ws://, or send 'Upgrade: websocket' and 'Connection: Upgrade'"
    )]
    NotAnUpgrade,
    /// No `Sec-WebSocket-Key`, more than one, or not 16 bytes in base64.
    #[error("Sec-WebSocket-Key has to be 16 bytes in base64, once")]
    Key,
    /// A protocol version other than 13.
    #[error("Sec-WebSocket-Version has to be 13")]
    ProtocolVersion,
    /// A web page of another origin.
    #[error("web pages of this Origin may not connect; the operator can allow it with --allow-origin")]
    Origin,
}

impl HandshakeError {
    /// The HTTP status that says it. With 426 goes `Sec-WebSocket-Version: 13`.
    pub fn status(self) -> StatusCode {
        match self {
            HandshakeError::Method => StatusCode::METHOD_NOT_ALLOWED,
            HandshakeError::Version | HandshakeError::Key => StatusCode::BAD_REQUEST,
            HandshakeError::NotAnUpgrade | HandshakeError::ProtocolVersion => StatusCode::UPGRADE_REQUIRED,
            HandshakeError::Origin => StatusCode::FORBIDDEN,
        }
    }
}

/// Checks a request for an upgrade to WebSocket.
///
/// # Errors
/// [`HandshakeError`] says what is missing and what to do.
pub fn check_upgrade(method: &Method, version: Version, headers: &HeaderMap) -> Result<(), HandshakeError> {
    if method != Method::GET {
        return Err(HandshakeError::Method);
    }
    if version != Version::HTTP_11 {
        return Err(HandshakeError::Version);
    }
    if !has_token(headers, header::UPGRADE, "websocket") || !has_token(headers, header::CONNECTION, "upgrade")
    {
        return Err(HandshakeError::NotAnUpgrade);
    }
    let versions = headers.get_all(header::SEC_WEBSOCKET_VERSION);
    if !versions.iter().any(|value| value.as_bytes().trim_ascii() == b"13") {
        return Err(HandshakeError::ProtocolVersion);
    }
    let mut keys = headers.get_all(header::SEC_WEBSOCKET_KEY).iter();
    match (keys.next(), keys.next()) {
        (Some(key), None) if is_key(key.as_bytes().trim_ascii()) => Ok(()),
        _ => Err(HandshakeError::Key),
    }
}

/// Checks that a request comes from no web page, from one of this very host, or from one that is allowed (its origin as
/// the browser sends it, such as `https://example.com`, or `*` for all).
///
/// # Errors
/// [`HandshakeError::Origin`].
pub fn check_origin(headers: &HeaderMap, allowed: &[String]) -> Result<(), HandshakeError> {
    let Some(origin) = headers.get(header::ORIGIN) else { return Ok(()) };
    let origin = origin.to_str().map_err(|_| HandshakeError::Origin)?;
    if allowed.iter().any(|one| one == "*" || one == origin) || is_same_origin(headers, origin) {
        return Ok(());
    }
    Err(HandshakeError::Origin)
}

fn is_same_origin(headers: &HeaderMap, origin: &str) -> bool {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let page = origin.split_once("://").map(|(_, authority)| authority);
    host.is_some() && page.zip(host).is_some_and(|(page, host)| page.eq_ignore_ascii_case(host))
}

/// Whether a header that is a list of tokens has this one, in any case.
fn has_token(headers: &HeaderMap, name: header::HeaderName, token: &str) -> bool {
    let values = headers.get_all(name);
    let mut tokens = values.iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    tokens.any(|one| one.trim().eq_ignore_ascii_case(token))
}

/// Whether this is the base64 of 16 bytes: 21 digits, one that holds the last two bits, and two paddings.
fn is_key(key: &[u8]) -> bool {
    let digit = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    key.len() == 24
        && key[..21].iter().all(digit)
        && matches!(key[21], b'A' | b'Q' | b'g' | b'w')
        && key[22..] == *b"=="
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn good() -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_static("127.0.0.1:9000"));
        headers.insert(header::UPGRADE, HeaderValue::from_static("WebSocket"));
        headers.insert(header::CONNECTION, HeaderValue::from_static("keep-alive, Upgrade"));
        headers.insert(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        headers.insert(header::SEC_WEBSOCKET_KEY, HeaderValue::from_static("dGhlIHNhbXBsZSBub25jZQ=="));
        headers
    }

    fn check(change: impl FnOnce(&mut HeaderMap), wanted: Result<(), HandshakeError>) {
        let mut headers = good();
        change(&mut headers);
        assert_eq!(check_upgrade(&Method::GET, Version::HTTP_11, &headers), wanted, "{headers:?}");
    }

    #[test]
    fn takes_what_clients_send() {
        check(|_| {}, Ok(()));
    }

    #[test]
    fn refuses_each_missing_part() {
        use HandshakeError as E;
        let set = |name: header::HeaderName, value: &'static str| {
            move |headers: &mut HeaderMap| drop(headers.insert(name, HeaderValue::from_static(value)))
        };
        check(|headers| drop(headers.remove(header::UPGRADE)), Err(E::NotAnUpgrade));
        check(set(header::CONNECTION, "keep-alive"), Err(E::NotAnUpgrade));
        check(set(header::SEC_WEBSOCKET_VERSION, "8"), Err(E::ProtocolVersion));
        check(|headers| drop(headers.remove(header::SEC_WEBSOCKET_KEY)), Err(E::Key));
        check(set(header::SEC_WEBSOCKET_KEY, "c2hvcnQ="), Err(E::Key));
        check(set(header::SEC_WEBSOCKET_KEY, "dGhlIHNhbXBsZSBub25jZR=="), Err(E::Key));
        let key = HeaderValue::from_static("dGhlIHNhbXBsZSBub25jZQ==");
        check(|headers| assert!(headers.append(header::SEC_WEBSOCKET_KEY, key)), Err(E::Key));
        assert_eq!(check_upgrade(&Method::POST, Version::HTTP_11, &good()), Err(E::Method));
        assert_eq!(check_upgrade(&Method::GET, Version::HTTP_10, &good()), Err(E::Version));
    }

    #[test]
    fn only_pages_of_this_host_or_allowed_ones_may_connect() {
        let check = |origin: &'static str, allowed: &[&str], wanted: bool| {
            let mut headers = good();
            headers.insert(header::ORIGIN, HeaderValue::from_static(origin));
            let allowed: Vec<String> = allowed.iter().map(ToString::to_string).collect();
            assert_eq!(check_origin(&headers, &allowed).is_ok(), wanted, "{origin}");
        };
        assert_eq!(check_origin(&good(), &[]), Ok(()));
        check("http://127.0.0.1:9000", &[], true);
        check("http://127.0.0.1:9001", &[], false);
        check("http://evil.example", &[], false);
        check("null", &[], false);
        check("https://desk.example", &["https://desk.example"], true);
        check("https://desk.example.evil", &["https://desk.example"], false);
        check("http://anything", &["*"], true);
    }
}
