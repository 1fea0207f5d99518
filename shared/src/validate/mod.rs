//! The rules for definitions and displays. The widget and the edge use the same ones.

mod address;
mod checks;
mod definition;
mod display;
mod looks;
mod origin;
mod pages;
mod regex;
mod settings;

pub use checks::is_safe_link;
pub use definition::{DEFINITION_LIMIT, QUESTIONS_LIMIT, RETENTION_LEAST, definition, shown};
pub use display::{DISPLAY_LIMIT, TEXT_LIMIT, TEXTS_LIMIT, display, traits};
pub use looks::theme;
pub use origin::{check_origin, is_origin};
pub use settings::settings;

#[cfg(test)]
pub(crate) mod tests {
    use crate::definition::Definition;
    use serde_json::{Value, json};

    use super::*;

    /// Returns a definition that uses every feature.
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
                {
                    "id": "reasons",
                    "text": "What would you change?",
                    "answer": { "choice": {
                        "options": [
                            { "id": "price", "text": "The price" },
                            { "id": "speed", "text": "The speed" },
                        ],
                        "multiple": true,
                        "other": { "max_length": 20 },
                    } },
                },
                {
                    "id": "how",
                    "text": "How would you change the price?",
                    "answer": { "text": {} },
                    "show_if": { "question": "reasons", "is": { "choice": ["price", "other"] } },
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
            "appearance": { "position": "center", "theme": { "light": { "accent": "#004411" } } },
            "journey": { "stage": "purchase", "touchpoint": "checkout" },
            "variants": ["a", "b"],
            "page_groups": [{ "name": "cart", "pages": [{ "prefix": "/cart" }] }],
            "traits": ["plan"],
            "start_ms": 1_761_955_200_000_u64,
            "end_ms": 1_793_491_200_000_u64,
            "quota": 500,
            "retention_days": 90,
        })
    }

    pub(crate) fn nps_with_comment() -> Definition {
        serde_json::from_value(definition_json()).unwrap()
    }

    #[test]
    fn an_origin_is_a_scheme_a_host_and_maybe_a_port() {
        for origin in [
            "https://shop.example",
            "https://*.shop.example",
            "http://localhost:8080",
            "http://[::1]:81",
            "*",
        ] {
            assert!(is_origin(origin), "{origin}");
        }
        for other in [
            "",
            "shop.example",
            "https://",
            "https://shop.example/",
            "ftp://x",
            "null",
            "https://shop.example:443",
            "http://x:80",
            "https://..:::",
            "https://x:",
            "https://x:070",
            "https://*",
            "https://*.",
            "https://*.*.shop.example",
            "https://shop*.example",
        ] {
            assert!(!is_origin(other), "{other}");
        }
        for (other, named) in [
            ("https://Shop.example", "lower case"),
            ("HTTPS://shop.example:8443", "lower case"),
            ("https://shop.example/", "slash at its end"),
            ("https://shop.example/cart?a=b", "no path"),
            ("https://shop.example:443", "default port"),
            ("http://shop.example:80", "default port"),
            ("https://bücher.example", "Punycode"),
            ("shop.example", "begins with https://"),
            ("ftp://shop.example", "a scheme, a host"),
            ("https://shop_.example", "a scheme, a host"),
        ] {
            let why = check_origin(other).unwrap_err();
            assert!(why.contains(named), "{other}: {why}");
        }
    }
}
