//! The rules that definitions and displays keep. The widget and the edge read the same ones.

mod definition;
mod display;

pub use definition::{DEFINITION_LIMIT, definition, is_safe_link};
pub use display::{DISPLAY_LIMIT, display};

/// The longest comment, in characters. With the worst escapes it still fits [`DISPLAY_LIMIT`].
pub const TEXT_LIMIT: u16 = 2_000;

/// Whether a text is an origin that a site can list: a scheme, a host and maybe a port, or `*`.
pub fn is_origin(text: &str) -> bool {
    let Some(host) = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")) else {
        return text == "*";
    };
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.:[]".contains(c);
    !host.is_empty() && host.len() <= 255 && host.chars().all(allowed)
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::definition::Definition;

    /// A definition that uses what there is.
    pub(crate) fn definition_json() -> Value {
        json!({
            "name": "Relationship",
            "language": "en",
            "questions": [
                {
                    "id": "score",
                    "text": { "en": "Would you recommend us?", "de": "Würden Sie uns empfehlen?" },
                    "answer": { "rating": {
                        "scale": "nps",
                        "direction": "high_is_good",
                        "low": "Not at all likely",
                        "high": "Extremely likely",
                    } },
                },
                {
                    "id": "why",
                    "text": "Why?",
                    "answer": { "text": { "max_length": 10 } },
                    "show_if": { "question": "score", "is": { "score": { "from": 0, "to": 9 } } },
                },
            ],
            "primary": "score",
            "thanks": {
                "text": "Thank you!",
                "link": { "url": "https://shop.example/", "text": "Back to the shop" },
                "by_category": { "detractor": { "text": "We will do better." } },
            },
            "triggers": [{ "delay": 0 }, "exit_intent"],
            "targeting": { "include": [{ "glob": "/cart/*" }] },
            "frequency": "once",
            "journey": { "stage": "purchase", "touchpoint": "checkout" },
            "quota": 1_000,
            "start_ms": 1_000,
            "end_ms": 2_000,
            "retention_days": 365,
        })
    }

    pub(crate) fn nps_with_comment() -> Definition {
        serde_json::from_value(definition_json()).unwrap()
    }

    #[test]
    fn an_origin_is_a_scheme_a_host_and_maybe_a_port() {
        for origin in ["https://shop.example", "http://localhost:8080", "http://[::1]:80", "*"] {
            assert!(is_origin(origin), "{origin}");
        }
        for other in ["", "shop.example", "https://", "https://shop.example/", "ftp://x", "null"] {
            assert!(!is_origin(other), "{other}");
        }
    }
}
