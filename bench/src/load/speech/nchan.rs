//! nchan: the path of the request is the subscription; after it each frame or event is a message, and nothing is to be said.

use super::Subscription;

/// Where these topics are over WebSocket: several are joined by commas.
pub fn path(Subscription { topics, .. }: &Subscription) -> String {
    format!("/sub/{}", topics.join(","))
}

/// Where they are as server-sent events.
pub fn event_path(Subscription { topics, .. }: &Subscription) -> String {
    format!("/events/{}", topics.join(","))
}

#[cfg(test)]
mod tests {
    use super::{super::Terms, *};

    #[test]
    fn the_path_names_every_topic() {
        let topics = ["A/B", "C/D"].map(String::from).to_vec();
        let subscription = Subscription { topics, terms: Terms::default(), since: None };
        assert_eq!(path(&subscription), "/sub/A/B,C/D");
        assert_eq!(event_path(&subscription), "/events/A/B,C/D");
    }
}
