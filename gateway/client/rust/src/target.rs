//! Where a gateway is, from what a person types.

use crate::ClientError;
use url::Url;

/// A gateway's HTTP address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    /// `host:port`, as a Host header and a connect take it.
    pub authority: String,
    /// Path and query of the native feed.
    pub feed: String,
}

impl Target {
    /// `ws://host:port/feed`, `http://host:port` or `host:port`; without a port 80 for an address with a scheme, else
    /// 9000; without a path `/feed`.
    ///
    /// # Errors
    /// [`ClientError::BadUrl`], [`ClientError::NoTls`].
    pub fn parse(text: &str) -> Result<Target, ClientError> {
        let bad = || ClientError::BadUrl(text.into());
        let has_scheme = text.contains("://");
        let url = if has_scheme { Url::parse(text) } else { Url::parse(&format!("ws://{text}")) };
        let url = url.map_err(|_| bad())?;
        match url.scheme() {
            "ws" | "http" => {}
            "wss" | "https" => return Err(ClientError::NoTls(text.into())),
            _ => return Err(bad()),
        }
        let host = url.host_str().ok_or_else(bad)?;
        let default_port = if has_scheme { 80 } else { 9000 };
        let port = url.port().unwrap_or(default_port);
        let path = if url.path() == "/" { "/feed" } else { url.path() };
        let feed = url.query().map_or_else(|| path.into(), |query| format!("{path}?{query}"));
        Ok(Target { authority: format!("{host}:{port}"), feed })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_write_an_address_leads_to_the_feed() {
        let check = |text: &str, authority: &str, feed: &str| {
            let target = Target::parse(text).unwrap();
            assert_eq!((target.authority.as_str(), target.feed.as_str()), (authority, feed), "{text}");
        };
        check("ws://127.0.0.1:9000/feed", "127.0.0.1:9000", "/feed");
        check("ws://127.0.0.1:9000", "127.0.0.1:9000", "/feed");
        check("http://gateway:9000/", "gateway:9000", "/feed");
        check("localhost:9000", "localhost:9000", "/feed");
        check("localhost", "localhost:9000", "/feed");
        check("[::1]:9000", "[::1]:9000", "/feed");
        check("ws://gateway/feed?heartbeat_ms=250", "gateway:80", "/feed?heartbeat_ms=250");
    }

    #[test]
    fn says_what_is_wrong_with_an_address() {
        assert!(matches!(Target::parse("wss://gateway/feed"), Err(ClientError::NoTls(_))));
        assert!(matches!(Target::parse("https://gateway"), Err(ClientError::NoTls(_))));
        for bad in ["", "ftp://gateway", "ws://", "host:port"] {
            assert!(matches!(Target::parse(bad), Err(ClientError::BadUrl(_))), "{bad}");
        }
    }
}
