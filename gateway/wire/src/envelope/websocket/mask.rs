//! The masking of payloads (RFC 6455 section 5.3).

/// Unmasks a piece of a payload that begins `offset` bytes into it.
pub fn unmask(piece: &mut [u8], mask: [u8; 4], offset: u32) {
    let turned = u32::from_le_bytes(mask).rotate_right(offset % 4 * 8);
    let word = u64::from(turned) << 32 | u64::from(turned);
    let (words, rest) = piece.as_chunks_mut::<8>();
    for bytes in words {
        *bytes = (u64::from_le_bytes(*bytes) ^ word).to_le_bytes();
    }
    for (byte, mask) in rest.iter_mut().zip(word.to_le_bytes()) {
        *byte ^= mask;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn each_byte_meets_its_byte_of_the_mask(
            payload in prop::collection::vec(any::<u8>(), 0..100),
            mask in any::<[u8; 4]>(),
            offset in 0u32..100,
        ) {
            let mut unmasked = payload.clone();
            unmask(&mut unmasked, mask, offset);
            for (i, byte) in payload.iter().enumerate() {
                prop_assert_eq!(unmasked[i], byte ^ mask[(offset as usize + i) % 4]);
            }
        }
    }
}
