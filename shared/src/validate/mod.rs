//! The rules that definitions and displays keep. The widget and the edge read the same ones.

mod address;
mod definition;
mod display;
mod looks;
mod pages;
mod regex;
mod settings;

pub use definition::{
    DEFINITION_LIMIT, QUESTIONS_LIMIT, RETENTION_LEAST, definition, is_safe_link,
};
pub use display::{DISPLAY_LIMIT, display, traits};
pub use looks::theme;
pub use settings::settings;

/// The longest comment, in characters.
pub const TEXT_LIMIT: u16 = 2_000;

/// The longest that all comments of a display can be together. With the worst escapes they still fit
/// [`DISPLAY_LIMIT`], so that nothing a visitor was allowed to write is refused.
pub const TEXTS_LIMIT: u16 = 2_500;

/// Checks that a text is an origin that a site can list: a scheme, a host, which may be `*.` and a
/// domain, and maybe a port; or `*`. Says what is wrong with one that browsers would write otherwise.
pub fn check_origin(text: &str) -> Result<(), &'static str> {
    if is_origin(text) {
        return Ok(());
    }
    let Some((scheme, rest)) = text.split_once("://") else {
        return Err("an origin begins with https:// or http://, such as https://shop.example");
    };
    let (host, path) = rest.find(['/', '?', '#']).map_or((rest, ""), |at| rest.split_at(at));
    let lower = text.to_ascii_lowercase();
    let implied = [("https", ":443"), ("http", ":80")];
    Err(if text != lower && is_origin(&lower) {
        "an origin is written in lower case, as browsers send it: https://shop.example"
    } else if !path.is_empty() {
        "an origin has no path and no slash at its end, such as https://shop.example"
    } else if implied.iter().any(|(of, port)| scheme == *of && host.ends_with(port)) {
        "an origin leaves out the default port of its scheme, such as https://shop.example"
    } else if !text.is_ascii() {
        "an origin has its host in ASCII (Punycode), as browsers send it: https://xn--bcher-kva.example"
    } else {
        "an origin is a scheme, a host and maybe a port, such as https://shop.example"
    })
}

/// Whether a text is such an origin.
pub fn is_origin(text: &str) -> bool {
    let Some(host) = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")) else {
        return text == "*";
    };
    // As browsers write it, or it would match none of them: no port that goes without saying.
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !host.ends_with(']') => (name, Some(port)),
        _ => (host, None),
    };
    let name = name.strip_prefix("*.").unwrap_or(name);
    let implied = if text.starts_with("https:") { "443" } else { "80" };
    let is_port = |port: &str| port.parse::<u16>().is_ok_and(|number| number.to_string() == port);
    let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c);
    let is_v6 = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).is_some_and(|v6| {
        v6.contains(':') && v6.chars().all(|c| c == ':' || c.is_ascii_hexdigit())
    });
    host.len() <= 255
        && port.is_none_or(|port| is_port(port) && port != implied)
        && (is_v6 || (!name.is_empty() && name.chars().all(is_name)))
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
