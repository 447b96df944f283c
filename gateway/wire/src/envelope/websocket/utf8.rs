//! UTF-8 judged as it arrives: the first wrong byte is found at once, also where a character lies across frames.

/// How far into a character the text has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Utf8 {
    /// The bytes of a character that is not complete.
    partial: [u8; 3],
    length: u8,
}

/// The text is not UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotUtf8;

impl Utf8 {
    /// Judges the next bytes of the text.
    ///
    /// # Errors
    /// At the first byte that no UTF-8 text could have there.
    pub fn feed(&mut self, mut bytes: &[u8]) -> Result<(), NotUtf8> {
        while self.length > 0 {
            let Some((&next, rest)) = bytes.split_first() else { return Ok(()) };
            bytes = rest;
            self.complete(next)?;
        }
        let Err(error) = std::str::from_utf8(bytes) else { return Ok(()) };
        if error.error_len().is_some() {
            return Err(NotUtf8);
        }
        let tail = &bytes[error.valid_up_to()..];
        self.partial[..tail.len()].copy_from_slice(tail);
        self.length = tail.len() as u8;
        Ok(())
    }

    /// Adds one byte to the character that is not complete.
    fn complete(&mut self, next: u8) -> Result<(), NotUtf8> {
        let mut character = [0; 4];
        let length = self.length as usize;
        character[..length].copy_from_slice(&self.partial[..length]);
        character[length] = next;
        match std::str::from_utf8(&character[..=length]) {
            Ok(_) => self.length = 0,
            Err(error) if error.error_len().is_some() => return Err(NotUtf8),
            Err(_) => {
                self.partial[length] = next;
                self.length += 1;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn judge(pieces: &[&[u8]]) -> bool {
        let mut state = Utf8::default();
        pieces.iter().all(|piece| state.feed(piece).is_ok())
    }

    fn may_become_text(bytes: &[u8]) -> bool {
        std::str::from_utf8(bytes).err().is_none_or(|error| error.error_len().is_none())
    }

    #[test]
    fn a_wrong_byte_is_found_before_its_character_ends() {
        let mut state = Utf8::default();
        assert_eq!(state.feed(&[0xF4]), Ok(()));
        assert_eq!(state.feed(&[0x90]), Err(NotUtf8), "beyond U+10FFFF");
    }

    proptest! {
        #[test]
        fn pieces_are_judged_as_the_whole(
            bytes in prop_oneof![prop::collection::vec(any::<u8>(), 0..12), ".{0,8}".prop_map(String::into_bytes)],
            cuts in prop::collection::vec(0usize..12, 0..4),
        ) {
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
            cuts.sort_unstable();
            let mut pieces = Vec::new();
            let mut from = 0;
            for cut in cuts {
                pieces.push(&bytes[from..cut]);
                from = cut;
            }
            pieces.push(&bytes[from..]);
            prop_assert_eq!(judge(&pieces), may_become_text(&bytes));
        }
    }
}
