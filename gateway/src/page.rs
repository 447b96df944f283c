//! The dashboard: a page and what belongs to it, part of the program.

const HTML: &str = "text/html; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const IMAGE: &str = "image/svg+xml";

/// The content type and the bytes of a file of the page.
pub(crate) fn file(path: &str) -> Option<(&'static str, &'static [u8])> {
    let file: (&str, &[u8]) = match path {
        "/" => (HTML, include_bytes!("page/index.html")),
        "/page/style.css" => (STYLE, include_bytes!("page/style.css")),
        "/page/icon.svg" => (IMAGE, include_bytes!("page/icon.svg")),
        "/page/main.js" => (SCRIPT, include_bytes!("page/main.js")),
        "/page/market.js" => (SCRIPT, include_bytes!("page/market.js")),
        "/page/connection.js" => (SCRIPT, include_bytes!("page/connection.js")),
        "/page/book.js" => (SCRIPT, include_bytes!("page/book.js")),
        "/page/ladder.js" => (SCRIPT, include_bytes!("page/ladder.js")),
        "/page/tape.js" => (SCRIPT, include_bytes!("page/tape.js")),
        "/page/latency.js" => (SCRIPT, include_bytes!("page/latency.js")),
        _ => return None,
    };
    Some(file)
}
