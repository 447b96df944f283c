//! The dashboard: a page and what belongs to it, part of the program.

/// The content type and the bytes of a file of the page.
pub(crate) fn file(path: &str) -> Option<(&'static str, &'static [u8])> {
    match path {
        "/" => Some(("text/html; charset=utf-8", include_bytes!("page/index.html"))),
        _ => None,
    }
}
