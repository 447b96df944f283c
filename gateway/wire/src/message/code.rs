//! The words by which programs tell errors, reasons and closes apart.

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
        }

        impl $name {
            /// All of them, in the order of the documentation.
            pub const ALL: &[$name] = &[$($name::$variant),*];

            /// The word on the wire.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $($name::$variant => $word,)*
                }
            }
        }
    };
}

words! {
    /// Why a request was refused.
    ErrorCode {
        /// The text is no JSON object.
        BadJson = "bad_json",
        /// The method does not exist, or is not served.
        BadMethod = "bad_method",
        /// A parameter is missing, unknown or of the wrong type.
        BadParams = "bad_params",
        /// The symbol is not in the table of instruments.
        BadSymbol = "bad_symbol",
        /// The channel does not exist.
        BadChannel = "bad_channel",
        /// The depth is not offered.
        BadDepth = "bad_depth",
        /// The interval is not offered.
        BadInterval = "bad_interval",
        /// The policy does not exist, or not on this transport.
        BadPolicy = "bad_policy",
        /// The resume token is malformed.
        BadToken = "bad_token",
        /// There is a subscription of this channel and symbol on the connection.
        AlreadySubscribed = "already_subscribed",
        /// There is no subscription of this channel and symbol on the connection.
        NotSubscribed = "not_subscribed",
        /// The connection has as many subscriptions as it may.
        TooManyTopics = "too_many_topics",
        /// Too many requests; the answer says when to come back.
        RateLimited = "rate_limited",
        /// The request is longer than the limit.
        TooLarge = "too_large",
        /// Authentication is missing or not valid.
        Unauthorised = "unauthorised",
        /// Authenticated, but not allowed to.
        Forbidden = "forbidden",
        /// It needs a recording, and there is none.
        NoRecording = "no_recording",
        /// The time or the range is outside of what is held.
        OutOfRange = "out_of_range",
        /// The combination of transport, dialect and encoding is not offered.
        NotOffered = "not_offered",
        /// The operator has not switched it on.
        NotAllowed = "not_allowed",
        /// The book cannot be told, because the feed lost its way.
        Stale = "stale",
        /// The gateway is at fault.
        Internal = "internal",
    }
}

words! {
    /// What was done to a message, or between two, because its client wanted it.
    ChaosAct {
        /// It was not sent.
        Drop = "drop",
        /// It was sent twice.
        Repeat = "repeat",
        /// It was sent behind the next one.
        Reorder = "reorder",
        /// Something in it was wrong.
        Corrupt = "corrupt",
        /// The subscription was silent.
        Stall = "stall",
    }
}

words! {
    /// Why a snapshot was sent.
    SnapshotReason {
        /// The first one of a subscription.
        Subscribe = "subscribe",
        /// The resume token could not be continued.
        Resume = "resume",
        /// Depth or interval changed.
        Modify = "modify",
        /// The subscriber was too slow to be caught up by a merge.
        SlowConsumer = "slow_consumer",
        /// The gateway itself fell behind its ring.
        Lagged = "lagged",
        /// The venue began the book anew.
        FeedReset = "feed_reset",
        /// The feed recovered from a hole in its numbering.
        FeedGap = "feed_gap",
        /// A new numbering began.
        EpochChanged = "epoch_changed",
        /// The subscriber's checksum was not the gateway's.
        VerifyMismatch = "verify_mismatch",
        /// A replay was moved to another time.
        Seek = "seek",
        /// A recording began its next round.
        Loop = "loop",
        /// A replay was handed over to the live feed.
        Live = "live",
    }
}

words! {
    /// Why messages are missing.
    GapReason {
        /// What followed the resume token is no longer held.
        Resume = "resume",
        /// The subscriber was too slow.
        SlowConsumer = "slow_consumer",
        /// The gateway itself fell behind its ring.
        Lagged = "lagged",
        /// The feed's own numbering has a hole.
        FeedGap = "feed_gap",
        /// The recording has a hole.
        RecordingGap = "recording_gap",
        /// Left out on the client's own demand.
        Chaos = "chaos",
    }
}

/// How a connection ends (RFC 6455 section 7.4, and our own from 4000).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u16)]
pub enum CloseCode {
    /// Asked for by the client.
    Normal = 1000,
    /// The gateway is shutting down.
    GoingAway = 1001,
    /// The frames broke RFC 6455.
    ProtocolError = 1002,
    /// A kind of data that this endpoint does not take.
    Unsupported = 1003,
    /// A text that is not UTF-8.
    InvalidData = 1007,
    /// A limit was exceeded again and again.
    PolicyViolation = 1008,
    /// A message over the inbound limit.
    TooBig = 1009,
    /// The gateway is at fault.
    Internal = 1011,
    /// Authentication is missing or not valid.
    Unauthorised = 4001,
    /// A `lossless` subscriber fell too far behind.
    SlowConsumer = 4008,
    /// Too many requests, refused ten times in a row.
    RateLimited = 4029,
}

impl CloseCode {
    /// The number in the close frame.
    pub const fn code(self) -> u16 {
        self as u16
    }

    /// The text in the close frame: what happened and what to do, at most 123 bytes.
    pub const fn text(self) -> &'static str {
        match self {
            CloseCode::Normal => "",
            CloseCode::GoingAway => "the gateway is shutting down; connect again and resume",
            CloseCode::ProtocolError => "the frames break RFC 6455; use a conforming WebSocket client",
            CloseCode::Unsupported => "binary messages are not taken here; send JSON text",
            CloseCode::InvalidData => "the text is not UTF-8",
            CloseCode::PolicyViolation => "a limit was exceeded again and again; slow down",
            CloseCode::TooBig => "the message is over the inbound limit; split it",
            CloseCode::Internal => "the gateway failed; connect again and resume",
            CloseCode::Unauthorised => "not authenticated; connect again with a valid token",
            CloseCode::SlowConsumer => "too slow for lossless; connect again and resume, or use conflate",
            CloseCode::RateLimited => "too many requests; wait before connecting again",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_told_apart() {
        let words: [Vec<&str>; 3] = [
            ErrorCode::ALL.iter().map(|code| code.as_str()).collect(),
            SnapshotReason::ALL.iter().map(|reason| reason.as_str()).collect(),
            GapReason::ALL.iter().map(|reason| reason.as_str()).collect(),
        ];
        for mut words in words {
            let count = words.len();
            words.sort();
            words.dedup();
            assert_eq!(words.len(), count);
        }
    }
}
