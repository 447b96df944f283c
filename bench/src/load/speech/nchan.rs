//! nchan: the path of the handshake is the subscription; after it each text frame is a message, and nothing is to be said.

use super::Subscription;

/// Where these topics are: several are joined by commas.
pub fn path(Subscription { topics, .. }: &Subscription) -> String {
    format!("/sub/{}", topics.join(","))
}

#[cfg(test)]
mod tests {
    use super::{super::Terms, *};

    #[test]
    fn the_path_names_every_topic() {
        let topics = ["A/B", "C/D"].map(String::from).to_vec();
        assert_eq!(path(&Subscription { topics, terms: Terms::default() }), "/sub/A/B,C/D");
    }
}
