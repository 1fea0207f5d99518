//! Texts in any number of languages.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::language::nearest;

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
    /// Returns the text in a language, or in the nearest one that there is ([`nearest`]), or in the survey's
    /// own language. The text is empty only in a definition that [`crate::validate`] refuses.
    pub fn in_language(&self, language: &str, own: &str) -> &str {
        match self {
            Self::One(text) => text,
            Self::Many(texts) => {
                let spoken: Vec<_> = texts.keys().map(String::as_str).collect();
                nearest(language, &spoken)
                    .or_else(|| nearest(own, &spoken))
                    .and_then(|tag| texts.get(tag))
                    .map_or("", String::as_str)
            }
        }
    }

    /// Returns the languages of the text, besides the survey's own.
    pub fn languages(&self) -> impl Iterator<Item = &str> {
        let texts = match self {
            Self::One(_) => None,
            Self::Many(texts) => Some(texts),
        };
        texts.into_iter().flat_map(|texts| texts.keys().map(String::as_str))
    }

    /// Returns every wording with the end of its path: nothing, or `.de`.
    pub fn wordings(&self) -> Vec<(String, &str)> {
        match self {
            Self::One(text) => vec![(String::new(), text)],
            Self::Many(texts) => {
                texts.iter().map(|(tag, text)| (format!(".{tag}"), text.as_str())).collect()
            }
        }
    }
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
}
