//! Makes a message wrong and leaves it well-formed, for clients that want to see whether they notice.

use super::{
    schema::{bbo, book, trade},
    words::message_type,
};

/// Whether a message is an update of a book, trades or the top of a book.
pub(crate) fn is_update(message: &[u8]) -> bool {
    let kind_at = match template(message) {
        Some(book::at::TEMPLATE) => book::at::KIND,
        Some(trade::at::TEMPLATE) => trade::at::KIND,
        Some(bbo::at::TEMPLATE) => bbo::at::KIND,
        _ => return false,
    };
    message.get(kind_at) == Some(&message_type::UPDATE)
}

/// Changes a message of a book as that of JSON is changed.
pub(crate) fn tamper(message: &mut [u8], all_levels_count: bool, pick: u64) -> bool {
    if template(message) != Some(book::at::TEMPLATE) {
        return false;
    }
    let quantities = if all_levels_count { quantities(message).unwrap_or_default() } else { Vec::new() };
    let of_levels: Vec<usize> =
        quantities.into_iter().filter(|&at| message[at..at + 8].iter().any(|&byte| byte != 0)).collect();
    let changed = match of_levels.len() {
        0 => book::at::CHECKSUM,
        count => of_levels[(pick % count as u64) as usize],
    };
    // The least digit, of whatever is not 1: that would be gone.
    let by = if message[changed] == 1 { 2 } else { 1 };
    message[changed] ^= by;
    true
}

fn template(message: &[u8]) -> Option<u16> {
    Some(u16::from_le_bytes(message.get(2..4)?.try_into().ok()?))
}

/// Where the quantities of a book's levels begin; `None` if it is cut.
fn quantities(message: &[u8]) -> Option<Vec<usize>> {
    let number = |at: usize| Some(usize::from(u16::from_le_bytes(message.get(at..at + 2)?.try_into().ok()?)));
    let mut found = Vec::new();
    let mut at = book::at::BLOCK + number(0)?;
    for _side in 0..2 {
        let block = number(at)?;
        let count = u32::from_le_bytes(message.get(at + 2..at + 6)?.try_into().ok()?);
        at += 6;
        for _level in 0..count {
            message.get(at..at + block)?;
            // Behind the price.
            found.push(at + 8);
            at += block;
        }
    }
    Some(found)
}
