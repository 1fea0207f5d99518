//! What a request says about a visit besides the answers: languages, the frame, and who sent it.

use std::cmp::Reverse;

use asklet_protocol::failure::Failure;
use asklet_shared::definition::Definition;
use asklet_shared::definition::language::nearest;
use asklet_shared::problem::{Code, Problem};
use worker::{Method, Request};

use crate::hosted::walk::Sent;
use crate::http::{body, url};

/// The largest form, in bytes: the longest texts of a survey, in the encoding that takes the most room.
const FORM_LIMIT: usize = 64 * 1024;

/// Number of a browser's languages that are considered.
const LANGUAGES_LIMIT: usize = 20;

/// One request of the page.
pub struct Visit {
    /// Whether the request sends the form.
    pub sends: bool,
    /// Whether the page is in a frame.
    pub is_framed: bool,
    /// Whether the request came over TLS, here or at the proxy in front.
    pub is_encrypted: bool,
    /// The token of a preview, if the request is for one.
    pub preview: Option<String>,
    /// The languages that the visitor prefers, the most preferred first.
    languages: Vec<String>,
    /// Whether a page of ours sent the form, as far as the browser says.
    is_ours: bool,
}

impl Visit {
    /// Reads the address and the headers of a request.
    pub fn of(request: &Request) -> Result<Self, Failure> {
        let header = |name| Ok::<_, Failure>(request.headers().get(name)?.unwrap_or_default());
        let mut visit = Self {
            sends: request.method() == Method::Post,
            is_framed: false,
            is_encrypted: request.inner().url().starts_with("https://")
                || header("x-forwarded-proto")? == "https",
            preview: None,
            languages: preferred(&header("accept-language")?),
            is_ours: is_ours(
                &header("sec-fetch-site")?,
                &header("origin")?,
                &request.inner().url(),
            ),
        };
        for (name, value) in url::parameters(request)? {
            match name.as_str() {
                "lang" => visit.languages.insert(0, value),
                "frame" => visit.is_framed = true,
                "preview" => visit.preview = Some(value),
                // Other parameters are ignored: senders of links add their own.
                _ => {}
            }
        }
        Ok(visit)
    }

    /// Returns the language that the visitor prefers, whether or not a survey has it.
    pub fn wished(&self) -> &str {
        self.languages.first().map_or("", String::as_str)
    }

    /// Returns the survey's language that is nearest to what the visitor prefers.
    pub fn language(&self, definition: &Definition) -> String {
        let spoken = definition.languages();
        let found = self.languages.iter().find_map(|wanted| nearest(wanted, &spoken));
        found.unwrap_or(&definition.language).to_owned()
    }
}

/// A form as it was sent.
pub struct Form(Vec<(String, String)>);

impl Form {
    /// Reads the form that a page of ours sent.
    pub async fn read(request: &mut Request, visit: &Visit) -> Result<Self, Failure> {
        if !visit.is_ours {
            let detail = "the form was sent from a page that is not ours";
            return Err(Problem::new(Code::OriginNotAllowed, detail).into());
        }
        let media_type = request.headers().get("content-type")?.unwrap_or_default();
        let wanted = "application/x-www-form-urlencoded";
        if media_type.split(';').next().is_none_or(|it| !it.trim().eq_ignore_ascii_case(wanted)) {
            let detail = "the content type must be that of a form";
            return Err(Problem::new(Code::UnsupportedMediaType, detail).limit(wanted).into());
        }
        let text = body::read_text(request, FORM_LIMIT).await?;
        Ok(Self(url::fields(&text)?))
    }

    /// Returns the value of a field, or an empty text if there is none.
    pub fn get(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value)
    }

    /// Returns what was answered.
    pub fn sent(&self) -> Sent {
        Sent {
            // A value that is not a number counts as a place beyond the last question.
            at: self.get("at").parse().unwrap_or(usize::MAX),
            goes_back: !self.get("back").is_empty(),
            score: self.get("score").to_owned(),
            // Forms send a line break as two characters, but it counts as one.
            text: self.get("text").replace("\r\n", "\n"),
        }
    }
}

/// Returns the languages of an `Accept-Language` header, the most preferred first.
fn preferred(header: &str) -> Vec<String> {
    let mut languages: Vec<(u16, String)> = header
        .split(',')
        .take(LANGUAGES_LIMIT)
        .filter_map(|item| {
            let (tag, quality) = item.split_once(";q=").unwrap_or((item, "1"));
            let thousandths = thousandths(quality.trim())?;
            let tag = tag.trim();
            (thousandths > 0 && !tag.is_empty()).then(|| (thousandths, tag.to_owned()))
        })
        .collect();
    languages.sort_by_key(|(quality, _)| Reverse(*quality));
    languages.into_iter().map(|(_, tag)| tag).collect()
}

/// Parses a quality between 0 and 1, with at most three decimals (RFC 9110, section 12.4.2), as thousandths.
fn thousandths(quality: &str) -> Option<u16> {
    let (whole, decimals) = quality.split_once('.').unwrap_or((quality, ""));
    let decimals: u16 = format!("{decimals:0<3}").get(..3)?.parse().ok()?;
    match whole {
        "1" => Some(1000),
        "0" => Some(decimals),
        _ => None,
    }
}

/// Whether a form comes from the origin to which it is sent. A browser says so in `Sec-Fetch-Site`. A browser
/// that does not send this header (an old one, or any on plain HTTP) says it in `Origin`, which is `null` if
/// the page hides its address, as ours does. If neither header says it, the token in the form must prove it.
fn is_ours(fetch_site: &str, origin: &str, url: &str) -> bool {
    match (fetch_site, origin) {
        ("same-origin", _) | ("", "" | "null") => true,
        // A proxy that ends TLS changes the scheme, but nobody else can have the same host.
        ("", origin) => host(origin) == host(url),
        _ => false,
    }
}

fn host(url: &str) -> Option<&str> {
    url.split_once("://").and_then(|(_, rest)| rest.split(['/', '?', '#']).next())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_are_wished_for_in_an_order() {
        for (header, wished) in [
            ("de-AT, de;q=0.9, en;q=0.8", vec!["de-AT", "de", "en"]),
            ("en;q=0.2, fr;q=0.75, de;q=0, it", vec!["it", "fr", "en"]),
            ("", vec![]),
            (",;q=1, x;q=2, y;q=, z;q=0.1234", vec!["z"]),
        ] {
            assert_eq!(preferred(header), wished, "{header}");
        }
    }

    #[test]
    fn only_a_page_of_ours_can_send_the_form() {
        let url = "https://ask.example:8443/s/any-1/2?lang=de";
        for (fetch_site, origin, ours) in [
            ("same-origin", "null", true),
            ("same-site", "https://ask.example:8443", false),
            ("cross-site", "", false),
            ("none", "", false),
            ("", "", true),
            ("", "null", true),
            ("", "https://ask.example:8443", true),
            ("", "http://ask.example:8443", true),
            ("", "https://ask.example", false),
            ("", "https://evil.example", false),
        ] {
            assert_eq!(is_ours(fetch_site, origin, url), ours, "{fetch_site} {origin}");
        }
    }
}
