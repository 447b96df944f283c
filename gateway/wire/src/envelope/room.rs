//! Room for what has arrived of something incomplete.

/// Appends to what is held. Room doubles as bytes arrive, up to the limit, within which the caller has found them.
pub(super) fn append(held: &mut Vec<u8>, bytes: &[u8], limit: usize) {
    let length = held.len() + bytes.len();
    if length > held.capacity() {
        let room = (2 * held.capacity()).clamp(length, limit);
        held.reserve_exact(room - held.len());
    }
    held.extend_from_slice(bytes);
}
