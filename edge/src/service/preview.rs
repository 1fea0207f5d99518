//! The tokens of previews.

use asklet_protocol::ids::{SiteId, SurveyId};
use asklet_protocol::seal::{self, Seal};
use asklet_shared::problem::{Code, Problem};
use serde::Serialize;

/// How long a preview is valid, in milliseconds.
const PREVIEW_MS: u64 = 60 * 60 * 1000;

/// A new preview, as its team gets it.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Preview {
    token: String,
    /// When it expires, in milliseconds since the epoch.
    expires_ms: u64,
    /// The query to append to the address of a page of the site, to show the preview there.
    query: String,
    /// The path of the hosted page that shows it.
    path: String,
}

impl Preview {
    /// Makes a preview that begins now, after this number of revocations.
    pub fn new(
        seal: &Seal,
        (site, survey): (&SiteId, &SurveyId),
        revocations: u32,
        now_ms: u64,
    ) -> Self {
        let expires_ms = now_ms + PREVIEW_MS;
        let token = token(seal, (site, survey), (expires_ms, revocations));
        let query = format!("asklet-preview={survey}.{token}");
        let path = format!("/s/{site}/{survey}?preview={token}");
        Self { token, expires_ms, query, path }
    }
}

/// Returns the token of a survey's preview, which is valid until a time, or until previews are revoked once
/// more.
pub fn token(
    seal: &Seal,
    (site, survey): (&SiteId, &SurveyId),
    (expires_ms, revocations): (u64, u32),
) -> String {
    let holds = format!("{expires_ms}-{revocations}");
    let mac = seal.token(&["preview", site.as_str(), survey.as_str(), &holds]);
    format!("{holds}-{mac}")
}

/// Refuses a token that was not made here or that has expired. Returns how often previews had been revoked
/// before it was made.
pub fn check(
    seal: &Seal,
    survey: (&SiteId, &SurveyId),
    text: &str,
    now_ms: u64,
) -> Result<u32, Problem> {
    let mut parts = text.split('-');
    let mut next = || parts.next();
    let expires_ms = next().and_then(|part| part.parse().ok());
    let revocations = next().and_then(|part| part.parse().ok());
    match expires_ms.zip(revocations) {
        Some(holds @ (expires_ms, revocations))
            if seal::same(&token(seal, survey, holds), text) =>
        {
            if now_ms < expires_ms {
                return Ok(revocations);
            }
            Err(Problem::new(
                Code::PreviewExpired,
                "the preview has expired after an hour: create another one",
            ))
        }
        _ => Err(Problem::new(Code::UnknownPreview, "there is no such preview")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_preview_holds_for_an_hour_and_for_one_survey() {
        let seal = Seal::new("a secret of the tests, long enough").unwrap();
        let site = seal.new_site().unwrap();
        let survey = seal.new_survey(&site).unwrap();
        let other = seal.new_survey(&site).unwrap();
        let preview = Preview::new(&seal, (&site, &survey), 7, 1_000);
        let code = |survey, token: &str, now_ms| {
            check(&seal, (&site, survey), token, now_ms).map_err(|problem| problem.code)
        };
        assert_eq!(code(&survey, &preview.token, 3_600_999), Ok(7));
        assert_eq!(code(&survey, &preview.token, 3_601_000), Err(Code::PreviewExpired));
        assert_eq!(code(&other, &preview.token, 1_000), Err(Code::UnknownPreview));
        let later = preview.token.replacen("3601000-", "9601000-", 1);
        let earlier = preview.token.replacen("-7-", "-6-", 1);
        let padded = format!("0{}", preview.token);
        for made_up in [&*later, &earlier, &padded, "3601000-7-", "3601000-", "-", ""] {
            assert_eq!(code(&survey, made_up, 1_000), Err(Code::UnknownPreview), "{made_up}");
        }
    }
}
