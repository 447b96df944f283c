//! Makes a message wrong and leaves it well-formed, for clients that want to see whether they notice.

/// Whether a body is an update of a book, trades or the top of a book.
pub(crate) fn is_update(body: &[u8]) -> bool {
    // What stands before the type is the channel alone.
    const LONGEST: usize = "{\"channel\":\"trade\",\"type\":\"update\"".len();
    find(&body[..body.len().min(LONGEST)], b"\"type\":\"update\"").is_some()
}

/// Changes one digit of a message of a book: that of a quantity which counts for the checksum, and in each that does; or of the
/// checksum itself, where no quantity is known to count. `pick` says which. Whether it was such a message.
pub(crate) fn tamper(body: &mut [u8], all_levels_count: bool, pick: u64) -> bool {
    if !body.starts_with(b"{\"channel\":\"book\"") {
        return false;
    }
    let quantities = if all_levels_count { digits_after(body, b"\"qty\":") } else { Vec::new() };
    // A level that is gone may be out of view as well.
    let of_levels: Vec<_> = quantities
        .into_iter()
        .filter(|at| body[at.clone()].iter().any(|digit| (b'1'..=b'9').contains(digit)))
        .collect();
    if !of_levels.is_empty() {
        let last = of_levels[(pick % of_levels.len() as u64) as usize].end - 1;
        body[last] = if body[last] == b'9' { b'8' } else { body[last] + 1 };
        return true;
    }
    let Some(checksum) = digits_after(body, b"\"checksum\":").pop() else { return false };
    // So the greatest number stays one of 32 bits.
    body[checksum.end - 1] ^= 1;
    true
}

/// Where the numbers stand that follow a name.
fn digits_after(body: &[u8], name: &[u8]) -> Vec<std::ops::Range<usize>> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(at) = find(&body[from..], name) {
        let start = from + at + name.len();
        let length = body[start..].iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'.').count();
        from = start + length;
        found.push(start..from);
    }
    found
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}
