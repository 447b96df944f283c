//! The headers of a WebSocket handshake: who passes has what the RFCs ask for, and what is agreed on may be offered in turn.

use http::{HeaderMap, HeaderName, HeaderValue, Method, Version, header};
use wire::envelope::websocket::{Deflate, check_origin, check_upgrade};

/// Lines of names and values, with a colon between.
pub(crate) fn check(data: &[u8]) {
    let mut headers = HeaderMap::new();
    for line in data.split(|&byte| byte == b'\n') {
        let Some(colon) = line.iter().position(|&byte| byte == b':') else { continue };
        let name = HeaderName::from_bytes(&line[..colon]);
        let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(&line[colon + 1..])) else { continue };
        headers.append(name, value);
    }
    upgrade(&headers);
    origin(&headers);
    if let Some(deflate) = Deflate::agree(&headers) {
        let text = deflate.to_string();
        let again = HeaderMap::from_iter([(
            header::SEC_WEBSOCKET_EXTENSIONS,
            HeaderValue::from_str(&text).expect("fit for a header"),
        )]);
        assert_eq!(Deflate::agree(&again), Some(deflate), "{text}");
        let offers = headers.get_all(header::SEC_WEBSOCKET_EXTENSIONS).iter();
        assert!(
            offers.filter_map(|offer| offer.to_str().ok()).any(|offer| offer.contains("permessage-deflate"))
        );
    }
}

fn upgrade(headers: &HeaderMap) {
    assert!(check_upgrade(&Method::POST, Version::HTTP_11, headers).is_err());
    assert!(check_upgrade(&Method::GET, Version::HTTP_10, headers).is_err());
    if check_upgrade(&Method::GET, Version::HTTP_11, headers).is_ok() {
        let values = |name| headers.get_all(name).iter().map(HeaderValue::as_bytes).collect::<Vec<_>>();
        let [key] = values(header::SEC_WEBSOCKET_KEY)[..] else { panic!("it needs one key") };
        assert_eq!(key.len(), 24);
        assert_eq!(values(header::SEC_WEBSOCKET_VERSION), [b"13"]);
        assert!(
            values(header::UPGRADE).concat().to_ascii_lowercase().windows(9).any(|part| part == b"websocket")
        );
    }
}

fn origin(headers: &HeaderMap) {
    let origins: Vec<_> = headers.get_all(header::ORIGIN).iter().map(HeaderValue::as_bytes).collect();
    assert_eq!(check_origin(headers, &["*".to_owned()]).is_ok(), origins.len() <= 1);
    if check_origin(headers, &[]).is_ok()
        && let [origin] = origins[..]
    {
        let host = headers.get(header::HOST).expect("the page is of this host").as_bytes();
        assert!(origin.to_ascii_lowercase().ends_with(&host.to_ascii_lowercase()));
    }
}
