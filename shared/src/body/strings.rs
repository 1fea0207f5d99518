//! The words of the widget and the hosted page themselves, such as the labels of buttons.

use serde::{Deserialize, Serialize};

use super::languages::{ALL, ENGLISH};
use super::words::Words;
use crate::definition::language::nearest;

/// The widget's own words, in the one language that travels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Strings {
    /// The button that closes the survey.
    pub close: String,
    /// The button that leads to the next question.
    pub next: String,
    /// The button after the last question.
    pub send: String,
    /// The button that leads back to the previous question.
    pub back: String,
    /// The words beside a question that may be left empty.
    pub optional: String,
    /// The button that puts the survey off.
    pub later: String,
    /// The link to the site's page about privacy.
    pub privacy: String,
    /// The button that shows why the visitor is asked.
    pub why: String,
    /// The number of the question: `{n}` and `{total}` stand for the numbers.
    pub progress: String,
}

impl Words {
    /// Returns the words in a language, or in the nearest one that there is, or in English.
    pub fn in_language(tag: &str) -> &'static Self {
        let spoken: Vec<_> = ALL.iter().map(|words| words.language).collect();
        // Readers of Nynorsk get Bokmål.
        let is_nynorsk = tag.split('-').next().is_some_and(|tag| tag.eq_ignore_ascii_case("nn"));
        let found = nearest(if is_nynorsk { "nb" } else { tag }, &spoken);
        ALL.iter().find(|words| Some(words.language) == found).unwrap_or(&ENGLISH)
    }

    /// Returns the words in every language.
    pub fn all() -> &'static [Self] {
        ALL
    }

    /// Returns the words that the widget needs.
    pub fn strings(&self) -> Strings {
        Strings {
            close: self.close.to_owned(),
            next: self.next.to_owned(),
            send: self.send.to_owned(),
            back: self.back.to_owned(),
            optional: self.optional.to_owned(),
            later: self.later.to_owned(),
            privacy: self.privacy.to_owned(),
            why: self.why.to_owned(),
            progress: self.progress.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_language_is_spoken() {
        for (tag, language) in [
            ("de-AT", "de"),
            ("EN-us", "en"),
            ("zh-TW", "zh-Hant"),
            ("zh-Hant-HK", "zh-Hant"),
            ("zh-CN", "zh"),
            ("no", "nb"),
            ("nn-NO", "nb"),
            ("iw", "he"),
            ("in", "id"),
            ("zh-MO", "zh-Hant"),
            ("zh-SG", "zh"),
            ("tlh", "en"),
            ("", "en"),
        ] {
            assert_eq!(Words::in_language(tag).language, language, "{tag}");
        }
    }

    #[test]
    fn no_language_lacks_a_word_or_a_placeholder() {
        assert!(ALL.len() >= 20);
        for words in ALL {
            let Strings { close, next, send, back, optional, later, privacy, why, progress } =
                words.strings();
            let plain = [close, next, send, back, optional, later, privacy, why];
            assert!(plain.iter().all(|word| !word.is_empty() && !word.contains('{')));
            assert!(progress.contains("{n}") && progress.contains("{total}"), "{}", words.language);
            assert!(words.too_long.contains("{limit}"), "{}", words.language);
            assert!(!words.required.is_empty() && !words.closed.is_empty());
        }
    }
}
