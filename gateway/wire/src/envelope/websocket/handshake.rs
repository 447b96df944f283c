//! What a client has to say before a connection becomes a WebSocket (RFC 6455 section 4.2.1), and which web pages may.

use http::{HeaderMap, Method, StatusCode, Version, header};

/// The sub-protocol of the native protocol with binary events.
pub const NATIVE_SBE: &str = "depthcast.v1.sbe";

/// Whether a client offers to speak this sub-protocol (RFC 6455 section 4.1). One that is not known is not answered, and the client decides
/// whether it goes on without (section 4.2.2).
pub fn offers_protocol(headers: &HeaderMap, protocol: &str) -> bool {
    let values = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL);
    let mut offered = values.iter().flat_map(|value| value.as_bytes().split(|&byte| byte == b','));
    offered.any(|one| one.trim_ascii() == protocol.as_bytes())
}

/// Why a handshake is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HandshakeError {
    /// Not a GET.
    #[error("a WebSocket handshake is a GET request; use a WebSocket client")]
    Method,
    /// Not HTTP/1.1.
    #[error("a WebSocket handshake needs HTTP/1.1; let the client or the proxy in between speak it")]
    Version,
    /// `Upgrade` or `Connection` does not say so.
    #[error(
        "this is a WebSocket endpoint: connect with ws://, or send 'Upgrade: websocket' and 'Connection: Upgrade'"
    )]
    NotAnUpgrade,
    /// No `Sec-WebSocket-Key`, more than one, or not 16 bytes in base64.
    #[error("Sec-WebSocket-Key has to be 16 bytes in base64, once")]
    Key,
    /// No `Sec-WebSocket-Version`, more than one, or another than 13.
    #[error("Sec-WebSocket-Version has to be 13, once")]
    ProtocolVersion,
    /// A web page of another origin.
    #[error("web pages of this Origin may not connect; the operator can allow it with --allow-origin")]
    Origin,
}

impl HandshakeError {
    /// The HTTP status that says it.
    pub fn status(self) -> StatusCode {
        match self {
            HandshakeError::Method => StatusCode::METHOD_NOT_ALLOWED,
            HandshakeError::Version | HandshakeError::Key => StatusCode::BAD_REQUEST,
            HandshakeError::NotAnUpgrade | HandshakeError::ProtocolVersion => StatusCode::UPGRADE_REQUIRED,
            HandshakeError::Origin => StatusCode::FORBIDDEN,
        }
    }

    /// The headers without which an answer of that status is not complete (RFC 9110 sections 15.5.6 and 15.5.22, RFC
    /// 6455 section 4.4).
    pub fn headers(self) -> &'static [(&'static str, &'static str)] {
        match self {
            HandshakeError::Method => &[("allow", "GET")],
            HandshakeError::NotAnUpgrade | HandshakeError::ProtocolVersion => {
                &[("upgrade", "websocket"), ("sec-websocket-version", "13")]
            }
            HandshakeError::Version | HandshakeError::Key | HandshakeError::Origin => &[],
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
    if only(headers, header::SEC_WEBSOCKET_VERSION) != Some(b"13") {
        return Err(HandshakeError::ProtocolVersion);
    }
    if !only(headers, header::SEC_WEBSOCKET_KEY).is_some_and(is_key) {
        return Err(HandshakeError::Key);
    }
    Ok(())
}

/// Checks that a request comes from no web page, from one of this very host, or from one that is allowed (its origin as
/// the browser sends it, such as `https://example.com`, or `*` for all). What is no browser sends no `Origin`, or may
/// claim any.
///
/// # Errors
/// [`HandshakeError::Origin`].
pub fn check_origin(headers: &HeaderMap, allowed: &[String]) -> Result<(), HandshakeError> {
    if !headers.contains_key(header::ORIGIN) {
        return Ok(());
    }
    let origin = only(headers, header::ORIGIN).ok_or(HandshakeError::Origin)?;
    let listed = |one: &String| one == "*" || origin.eq_ignore_ascii_case(one.as_bytes());
    if allowed.iter().any(listed) || is_same_origin(headers, origin) {
        return Ok(());
    }
    Err(HandshakeError::Origin)
}

/// Whether the page was served by the host that the request goes to; host and port count. The scheme cannot, as TLS may
/// end in front of the gateway.
fn is_same_origin(headers: &HeaderMap, origin: &[u8]) -> bool {
    let page = origin.strip_prefix(b"http://").or_else(|| origin.strip_prefix(b"https://"));
    page.zip(only(headers, header::HOST)).is_some_and(|(page, host)| page.eq_ignore_ascii_case(host))
}

/// The value of a header that stands there exactly once.
fn only(headers: &HeaderMap, name: header::HeaderName) -> Option<&[u8]> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => Some(value.as_bytes()),
        _ => None,
    }
}

/// Whether a header that is a list of tokens has this one, in any case.
fn has_token(headers: &HeaderMap, name: header::HeaderName, token: &str) -> bool {
    let values = headers.get_all(name);
    let mut tokens = values.iter().flat_map(|value| value.as_bytes().split(|&byte| byte == b','));
    tokens.any(|one| one.trim_ascii().eq_ignore_ascii_case(token.as_bytes()))
}

/// Whether this is the base64 of 16 bytes: 22 digits and two paddings. The last digit's spare bits may be anything, as
/// most decoders have it.
fn is_key(key: &[u8]) -> bool {
    let is_digit = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    key.len() == 24 && key.ends_with(b"==") && key[..22].iter().all(is_digit)
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

    fn set(name: header::HeaderName, value: &'static str) -> impl FnOnce(&mut HeaderMap) {
        move |headers| drop(headers.insert(name, HeaderValue::from_static(value)))
    }

    #[test]
    fn takes_what_clients_send() {
        check(|_| {}, Ok(()));
        // Firefox, and a header for each token.
        check(set(header::CONNECTION, "keep-alive, Upgrade"), Ok(()));
        check(set(header::UPGRADE, "h2c,WEBSOCKET"), Ok(()));
        let separate = HeaderValue::from_static("upgrade");
        check(
            |headers| {
                headers.insert(header::CONNECTION, HeaderValue::from_static("keep-alive"));
                headers.append(header::CONNECTION, separate);
            },
            Ok(()),
        );
    }

    #[test]
    fn refuses_each_missing_part() {
        use HandshakeError as E;
        check(|headers| drop(headers.remove(header::UPGRADE)), Err(E::NotAnUpgrade));
        check(set(header::UPGRADE, "websockets"), Err(E::NotAnUpgrade));
        check(|headers| drop(headers.remove(header::CONNECTION)), Err(E::NotAnUpgrade));
        check(set(header::CONNECTION, "keep-alive"), Err(E::NotAnUpgrade));
        check(|headers| drop(headers.remove(header::SEC_WEBSOCKET_VERSION)), Err(E::ProtocolVersion));
        check(set(header::SEC_WEBSOCKET_VERSION, "8"), Err(E::ProtocolVersion));
        check(|headers| drop(headers.remove(header::SEC_WEBSOCKET_KEY)), Err(E::Key));
        check(set(header::SEC_WEBSOCKET_KEY, ""), Err(E::Key));
        check(set(header::SEC_WEBSOCKET_KEY, "c2hvcnQ="), Err(E::Key));
        check(set(header::SEC_WEBSOCKET_KEY, "c2hvcg=="), Err(E::Key));
        check(set(header::SEC_WEBSOCKET_KEY, "dGhlIHNhbXBsZSBub25jZXMxMg=="), Err(E::Key));
        check(set(header::SEC_WEBSOCKET_KEY, "dGhlIHNhbXBsZSBub25jZQ=a"), Err(E::Key));
        check(set(header::SEC_WEBSOCKET_KEY, "dGhlIHNhbXBsZSBub25jZ-=="), Err(E::Key));
        let key = HeaderValue::from_static("dGhlIHNhbXBsZSBub25jZQ==");
        check(|headers| assert!(headers.append(header::SEC_WEBSOCKET_KEY, key)), Err(E::Key));
        assert_eq!(check_upgrade(&Method::POST, Version::HTTP_11, &good()), Err(E::Method));
        assert_eq!(check_upgrade(&Method::GET, Version::HTTP_10, &good()), Err(E::Version));
    }

    #[test]
    fn a_sub_protocol_is_found_among_those_that_are_offered() {
        let offers = |values: &[&'static str]| {
            let mut headers = good();
            for value in values {
                headers.append(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(value));
            }
            offers_protocol(&headers, NATIVE_SBE)
        };
        assert!(offers(&["depthcast.v1.sbe"]) && offers(&["soap, depthcast.v1.sbe"]));
        assert!(offers(&["soap", "depthcast.v1.sbe"]));
        assert!(!offers(&[]) && !offers(&["depthcast.v2.sbe"]) && !offers(&["DEPTHCAST.V1.SBE"]));
    }

    #[test]
    fn a_refusal_says_in_http_what_to_do() {
        let check = |error: HandshakeError, status: u16, headers: &[(&str, &str)]| {
            assert_eq!((error.status().as_u16(), error.headers()), (status, headers));
        };
        let upgrade = [("upgrade", "websocket"), ("sec-websocket-version", "13")];
        check(HandshakeError::Method, 405, &[("allow", "GET")]);
        check(HandshakeError::Version, 400, &[]);
        check(HandshakeError::NotAnUpgrade, 426, &upgrade);
        check(HandshakeError::Key, 400, &[]);
        check(HandshakeError::ProtocolVersion, 426, &upgrade);
        check(HandshakeError::Origin, 403, &[]);
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
        check("https://127.0.0.1:9000", &[], true);
        check("ftp://127.0.0.1:9000", &[], false);
        check("http://127.0.0.1:9000.evil.example", &[], false);
        check("127.0.0.1:9000", &[], false);
        check("null", &[], false);
        check("https://desk.example", &["https://desk.example"], true);
        check("https://desk.example.evil", &["https://desk.example"], false);
        check("http://anything", &["*"], true);

        let mut two = good();
        two.insert(header::ORIGIN, HeaderValue::from_static("http://127.0.0.1:9000"));
        two.append(header::ORIGIN, HeaderValue::from_static("http://evil.example"));
        assert_eq!(check_origin(&two, &[]), Err(HandshakeError::Origin));
    }
}
