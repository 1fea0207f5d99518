//! Texts in any number of languages.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A text in the survey's own language, or in several: `"Hello"` or `{"en": "Hello", "de": "Hallo"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged, expecting = "a text, or an object of texts by language")]
pub enum Text {
    /// In the survey's own language.
    One(String),
    /// By BCP 47 tag.
    Many(BTreeMap<String, String>),
}

impl Text {
    /// The text in a language, or in the nearest one that there is: `de-AT`, then `de`, then the
    /// survey's own. Empty only in a definition that [`crate::validate`] refuses.
    pub fn in_language(&self, language: &str, own: &str) -> &str {
        match self {
            Self::One(text) => text,
            Self::Many(texts) => chain(language)
                .chain([own])
                .find_map(|tag| texts.get(tag))
                .map_or("", String::as_str),
        }
    }

    /// The languages that it is in, besides the survey's own.
    pub fn languages(&self) -> impl Iterator<Item = &str> {
        let texts = match self {
            Self::One(_) => None,
            Self::Many(texts) => Some(texts),
        };
        texts.into_iter().flat_map(|texts| texts.keys().map(String::as_str))
    }

    /// Every wording with the end of its path: nothing, or `.de`.
    pub fn wordings(&self) -> Vec<(String, &str)> {
        match self {
            Self::One(text) => vec![(String::new(), text)],
            Self::Many(texts) => {
                texts.iter().map(|(tag, text)| (format!(".{tag}"), text.as_str())).collect()
            }
        }
    }
}

/// The language that is spoken and nearest to a wanted one: `de-AT`, then `de`. The case of tags does
/// not matter.
pub fn nearest<'a>(wanted: &str, spoken: &[&'a str]) -> Option<&'a str> {
    let is_spoken = |tag| spoken.iter().find(|spoken| spoken.eq_ignore_ascii_case(tag)).copied();
    chain(wanted).find_map(is_spoken)
}

/// A tag and what is left as its last parts are taken away: `zh-Hant-TW`, `zh-Hant`, `zh`.
fn chain(language: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(language), |tag| tag.rsplit_once('-').map(|(rest, _)| rest))
}

/// Whether a language is written from right to left, by its script where the tag names one.
pub fn is_right_to_left(tag: &str) -> bool {
    let tag = tag.to_ascii_lowercase();
    let mut parts = tag.split('-');
    let language = parts.next().unwrap_or_default();
    match parts.find(|part| part.len() == 4 && part.chars().all(|c| c.is_ascii_alphabetic())) {
        Some(script) => matches!(script, "arab" | "hebr" | "thaa" | "nkoo" | "syrc" | "adlm"),
        None => matches!(
            language,
            "ar" | "he" | "iw" | "fa" | "ur" | "ps" | "sd" | "ug" | "yi" | "dv" | "ckb" | "nqo"
        ),
    }
}

/// Whether a text has the shape of a BCP 47 tag.
pub fn is_language(tag: &str) -> bool {
    let mut parts = tag.split('-');
    let primary = parts.next().unwrap_or_default();
    (2..=8).contains(&primary.len())
        && primary.chars().all(|c| c.is_ascii_alphabetic())
        && tag.len() <= 35
        && parts.all(|part| {
            (1..=8).contains(&part.len()) && part.chars().all(|c| c.is_ascii_alphanumeric())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_language_is_taken() {
        let texts = [("en", "Hello"), ("de", "Hallo"), ("de-AT", "Servus")];
        let text = Text::Many(texts.map(|(tag, text)| (tag.to_owned(), text.to_owned())).into());
        for (language, wanted) in
            [("de-AT", "Servus"), ("de-CH", "Hallo"), ("fr", "Hello"), ("de-AT-1996", "Servus")]
        {
            assert_eq!(text.in_language(language, "en"), wanted, "{language}");
        }
        assert_eq!(Text::One("Hello".to_owned()).in_language("de", "en"), "Hello");
    }

    #[test]
    fn the_nearest_language_that_is_spoken_is_found_whatever_the_case() {
        let spoken = ["en", "de", "zh-Hant"];
        for (wanted, found) in
            [("de-AT", Some("de")), ("ZH-HANT-tw", Some("zh-Hant")), ("fr", None), ("", None)]
        {
            assert_eq!(nearest(wanted, &spoken), found, "{wanted}");
        }
    }

    #[test]
    fn the_script_says_more_than_the_language() {
        assert!(["ar", "he-IL", "az-Arab", "pa-Arab-PK"].into_iter().all(is_right_to_left));
        assert!(!["en", "ar-Latn", "az", "de-AT"].into_iter().any(is_right_to_left));
    }

    #[test]
    fn a_tag_is_letters_and_then_short_parts() {
        assert!(["en", "de-AT", "zh-Hant-TW", "es-419"].into_iter().all(is_language));
        assert!(
            !["", "e", "de_AT", "de-", "-de", "12", "de-toolongpart"].into_iter().any(is_language)
        );
    }
}
