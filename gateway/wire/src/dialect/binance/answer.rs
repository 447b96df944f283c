//! Answers to methods.

use super::{
    request::Id,
    stream::{StreamName, push_name},
};
use crate::dialect::json::{push, push_id, push_text};
use market::Instruments;
use std::borrow::Cow;

/// What is wrong with a request, as the venue puts it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    code: i32,
    text: Cow<'static, str>,
}

impl Fault {
    /// The code for programs.
    pub fn code(&self) -> i32 {
        self.code
    }

    /// The text for people.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Something of the request is not as it has to be.
    pub fn request(what: impl AsRef<str>) -> Fault {
        Fault { code: 2, text: format!("Invalid request: {}", what.as_ref()).into() }
    }

    /// The text is not JSON.
    pub fn json() -> Fault {
        Fault { code: 3, text: "Invalid JSON: send one object a message".into() }
    }

    /// There is no such property.
    pub fn unknown_property() -> Fault {
        Fault { code: 0, text: "Unknown property".into() }
    }

    /// A property has another type.
    pub fn not_a_boolean() -> Fault {
        Fault { code: 1, text: "Invalid value type: expected Boolean".into() }
    }

    /// There is no such symbol.
    pub fn symbol() -> Fault {
        Fault { code: -1121, text: "Invalid symbol.".into() }
    }

    /// There are no candles of such an interval.
    pub fn interval() -> Fault {
        Fault { code: -1120, text: "Invalid interval.".into() }
    }

    /// A parameter is missing that has to be there.
    pub fn missing(name: &str) -> Fault {
        let text = format!("Mandatory parameter '{name}' was not sent, was empty/null, or malformed.");
        Fault { code: -1102, text: text.into() }
    }

    /// A parameter's value is out of what is allowed.
    pub fn illegal(name: &str, legal: &str) -> Fault {
        let text = format!("Illegal characters found in parameter '{name}'; legal range is '{legal}'.");
        Fault { code: -1100, text: text.into() }
    }

    /// A parameter stands in a query twice.
    pub fn duplicate() -> Fault {
        Fault { code: -1101, text: "Duplicate values for a parameter detected.".into() }
    }

    /// Parameters were sent that do not exist: of `sent`, only `read` are known.
    pub fn unread(read: usize, sent: usize) -> Fault {
        let text = format!(
            "Not all sent parameters were read; read '{read}' parameter(s) but was sent '{sent}' parameter(s)."
        );
        Fault { code: -1104, text: text.into() }
    }

    /// Two parameters exclude each other.
    pub fn combination() -> Fault {
        Fault { code: -1128, text: "Combination of optional parameters invalid.".into() }
    }

    /// A parameter's value is of the right kind, and none that can be.
    pub fn data(name: &str) -> Fault {
        Fault { code: -1130, text: format!("Data sent for parameter '{name}' is not valid.").into() }
    }

    /// There is no such operation.
    pub fn unsupported(what: impl AsRef<str>) -> Fault {
        Fault { code: -1020, text: format!("This operation is not supported; {}", what.as_ref()).into() }
    }

    /// More was asked than is allowed.
    pub fn too_many_requests(what: impl AsRef<str>) -> Fault {
        Fault { code: -1003, text: format!("Too many requests; {}", what.as_ref()).into() }
    }

    /// What is asked for cannot be told now.
    pub fn unavailable(what: impl AsRef<str>) -> Fault {
        Fault { code: -1001, text: format!("Internal error; {}", what.as_ref()).into() }
    }
}

/// Appends the answer to a method that was done.
pub fn push_result(out: &mut Vec<u8>, id: &Id) {
    push(out, "{\"result\":null");
    push_end(out, id);
}

/// Appends the value of a property.
pub fn push_property(out: &mut Vec<u8>, value: bool, id: &Id) {
    push(out, if value { "{\"result\":true" } else { "{\"result\":false" });
    push_end(out, id);
}

/// Appends the names of streams.
pub fn push_list(
    out: &mut Vec<u8>,
    streams: impl IntoIterator<Item = StreamName>,
    instruments: &Instruments,
    id: &Id,
) {
    push(out, "{\"result\":[");
    let mut opening = "\"";
    for StreamName { symbol, stream } in streams {
        push(out, opening);
        push_name(out, stream, &instruments[symbol]);
        out.push(b'"');
        opening = ",\"";
    }
    out.push(b']');
    push_end(out, id);
}

/// Appends the answer to a request that was refused.
pub fn push_error(out: &mut Vec<u8>, fault: &Fault, id: &Id) {
    push(out, "{\"error\":");
    push_fault(out, fault);
    push_end(out, id);
}

/// Appends what is wrong as an object, which is all of an answer over REST.
pub fn push_fault(out: &mut Vec<u8>, fault: &Fault) {
    push(out, "{\"code\":");
    push(out, itoa::Buffer::new().format(fault.code));
    push_text(out, ",\"msg\":", &fault.text);
    out.push(b'}');
}

fn push_end(out: &mut Vec<u8>, id: &Id) {
    match id {
        Id::Needless => {}
        Id::Null => push(out, ",\"id\":null"),
        Id::Given(id) => push_id(out, ",\"id\":", Some(id)),
    }
    out.push(b'}');
}
