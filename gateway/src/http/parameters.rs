//! The query of a request: each parameter is read once, and what nobody read is an error, so that a typing error does not
//! pass for a default.

use super::reply::Problem;
use hyper::{StatusCode, Uri};
use std::{borrow::Cow, fmt::Display, str::FromStr};
use url::form_urlencoded;
use wire::message::ErrorCode;

/// What stands in a query and is not read yet.
pub(super) struct Parameters<'a> {
    sent: usize,
    rest: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// The names that were asked for.
    known: Vec<&'static str>,
}

impl<'a> Parameters<'a> {
    /// The parameters of a request.
    ///
    /// # Errors
    /// If one stands there twice.
    pub(super) fn of(uri: &'a Uri) -> Result<Parameters<'a>, Problem> {
        let mut rest: Vec<(Cow<'a, str>, Cow<'a, str>)> = Vec::new();
        for (name, value) in form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
            if rest.iter().any(|(other, _)| *other == name) {
                return Err(bad(format!("'{name}' stands twice in the query")));
            }
            rest.push((name, value));
        }
        Ok(Parameters { sent: rest.len(), rest, known: Vec::new() })
    }

    /// The value of a parameter, if it is there.
    pub(super) fn text(&mut self, name: &'static str) -> Option<Cow<'a, str>> {
        self.known.push(name);
        let at = self.rest.iter().position(|(other, _)| other == name)?;
        Some(self.rest.swap_remove(at).1)
    }

    /// The value of a parameter that has to be there.
    pub(super) fn required(&mut self, name: &'static str) -> Result<Cow<'a, str>, Problem> {
        self.text(name).ok_or_else(|| bad(format!("'{name}' is missing in the query")))
    }

    /// The value of a parameter that is read, if it is there.
    pub(super) fn value<T: FromStr<Err: Display>>(
        &mut self,
        name: &'static str,
    ) -> Result<Option<T>, Problem> {
        let Some(text) = self.text(name) else { return Ok(None) };
        text.parse().map(Some).map_err(|error| bad(format!("{name}={text}: {error}")))
    }

    /// How many were read so far, and how many there are.
    pub(super) fn counts(&self) -> (usize, usize) {
        (self.sent - self.rest.len(), self.sent)
    }

    /// To be called when all that is known was read.
    ///
    /// # Errors
    /// If something is left.
    pub(super) fn finish(self) -> Result<(), Problem> {
        let Some((name, _)) = self.rest.first() else { return Ok(()) };
        let known = if self.known.is_empty() { "none".to_owned() } else { self.known.join(", ") };
        Err(bad(format!("'{name}' is no parameter of this endpoint; there is {known}")))
    }
}

/// A parameter is wrong.
pub(super) fn bad(text: String) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, ErrorCode::BadParams, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(query: &str, wanted: Result<(Option<u64>, Option<String>), &str>) {
        let uri: Uri = format!("/v1/book?{query}").parse().unwrap();
        let read = || {
            let mut parameters = Parameters::of(&uri)?;
            let depth = parameters.value("depth")?;
            let symbol = parameters.text("symbol").map(Cow::into_owned);
            parameters.finish()?;
            Ok((depth, symbol))
        };
        let got = read().map_err(|problem: Problem| problem.text().to_owned());
        assert_eq!(got, wanted.map_err(str::to_owned), "{query}");
    }

    #[test]
    fn values_are_decoded_and_read() {
        check("", Ok((None, None)));
        check("symbol=BTC%2FUSDT&depth=10", Ok((Some(10), Some("BTC/USDT".into()))));
    }

    #[test]
    fn what_is_wrong_is_named() {
        check("depth=x", Err("depth=x: invalid digit found in string"));
        check("depth=1&depth=2", Err("'depth' stands twice in the query"));
        check("dept=1", Err("'dept' is no parameter of this endpoint; there is depth, symbol"));
    }
}
