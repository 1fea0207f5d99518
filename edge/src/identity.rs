//! Who answers: tokens that a site's own server makes with one of the site's identity secrets.
//!
//! A token is a JSON Web Token (RFC 7519) signed with HS256 (RFC 7518, section 3.2): `sub` is the
//! respondent, `aud` the site, `exp` when it runs out, and `traits` what the site says of them.

use std::collections::BTreeMap;

use asklet_shared::problem::{Code, Problem};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

/// How far the clock of the site's server may be off.
const LEEWAY_MS: u64 = 60_000;

/// The longest respondent's id, in characters.
pub const RESPONDENT_LIMIT: usize = 200;

/// Somebody whom the site's server vouches for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The respondent, in the site's own word.
    pub respondent: String,
    /// What the site says of them.
    pub traits: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    sub: String,
    aud: Audience,
    exp: u64,
    #[serde(default)]
    traits: BTreeMap<String, String>,
}

/// RFC 7519, section 4.1.3: one or several.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

/// Whether a text can be a respondent's id.
pub fn is_respondent(id: &str) -> bool {
    (1..=RESPONDENT_LIMIT).contains(&id.chars().count())
}

/// Checks a token for a site at the time when its survey was shown: a display may arrive days later.
pub fn verify(
    token: &str,
    site: &str,
    secrets: &[String],
    shown_ms: u64,
) -> Result<Identity, Problem> {
    let malformed = |detail: &'static str| {
        Problem::new(Code::IdentityMalformed, detail)
            .at("identity")
            .limit("a JSON Web Token signed with HS256, with sub, aud and exp")
    };
    let (signed, signature) =
        token.rsplit_once('.').ok_or_else(|| malformed("the token has not three parts"))?;
    let (header, claims) =
        signed.split_once('.').ok_or_else(|| malformed("the token has not three parts"))?;
    let decode = |part: &str| {
        URL_SAFE_NO_PAD.decode(part).map_err(|_| malformed("a part of the token is not base64url"))
    };
    let text = |part: &str| {
        let text = String::from_utf8(decode(part)?);
        text.map_err(|_| malformed("a part of the token is not UTF-8"))
    };
    let header: Header = serde_json::from_str(&text(header)?)
        .map_err(|_| malformed("the token's header cannot be read"))?;
    if header.alg != "HS256" {
        return Err(malformed("the token is not signed with HS256"));
    }
    let signature = decode(signature)?;
    // Each secret is tried, and each in constant time.
    let is_signed = secrets.iter().fold(false, |is_signed, secret| {
        let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes());
        let holds = mac
            .is_ok_and(|mac| mac.chain_update(signed.as_bytes()).verify_slice(&signature).is_ok());
        is_signed | holds
    });
    if !is_signed {
        let detail = "none of the site's identity secrets signed this token";
        return Err(Problem::new(Code::IdentitySignature, detail).at("identity"));
    }
    let claims: Claims = serde_json::from_str(&text(claims)?)
        .map_err(|_| malformed("the token's claims cannot be read"))?;
    let is_for_site = match &claims.aud {
        Audience::One(audience) => audience == site,
        Audience::Many(audiences) => audiences.iter().any(|audience| audience == site),
    };
    if !is_for_site {
        let detail = "the token is for another site";
        return Err(Problem::new(Code::IdentityAudience, detail).at("identity.aud").limit(site));
    }
    if claims.exp.saturating_mul(1000).saturating_add(LEEWAY_MS) < shown_ms {
        let detail = "the token had run out when the survey was shown";
        return Err(Problem::new(Code::IdentityExpired, detail)
            .at("identity.exp")
            .limit(format!("at least {}", shown_ms / 1000)));
    }
    if !is_respondent(&claims.sub) {
        return Err(malformed("the token's sub is empty or too long")
            .at("identity.sub")
            .limit(format!("1..={RESPONDENT_LIMIT} characters")));
    }
    Ok(Identity { respondent: claims.sub, traits: claims.traits })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_MS: u64 = 1_763_785_907_123;
    const SITE: &str = "any-site";

    fn token(header: &str, claims: &serde_json::Value, secret: &str) -> String {
        let signed = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(header),
            URL_SAFE_NO_PAD.encode(claims.to_string())
        );
        let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        let signature = mac.chain_update(signed.as_bytes()).finalize().into_bytes();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn claims() -> serde_json::Value {
        serde_json::json!({
            "sub": "u1", "aud": SITE, "exp": NOW_MS / 1000 + 60, "traits": { "plan": "pro" },
        })
    }

    const HS256: &str = r#"{"alg":"HS256","typ":"JWT"}"#;

    fn verified(token: &str) -> Result<Identity, Code> {
        let secrets = ["old".to_owned(), "new".to_owned()];
        verify(token, SITE, &secrets, NOW_MS).map_err(|problem| problem.code)
    }

    #[test]
    fn the_example_of_the_standard_verifies() {
        // RFC 7515, appendix A.1, whose key is random bytes: its signature over its signing input.
        let key = URL_SAFE_NO_PAD
            .decode("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow")
            .unwrap();
        let signed = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
        let mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
        let signature = mac.chain_update(signed.as_bytes()).finalize().into_bytes();
        assert_eq!(
            URL_SAFE_NO_PAD.encode(signature),
            "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
        );
    }

    #[test]
    fn either_of_two_secrets_signs() {
        for secret in ["old", "new"] {
            let identity = verified(&token(HS256, &claims(), secret)).unwrap();
            assert_eq!(identity.respondent, "u1");
            assert_eq!(identity.traits, [("plan".to_owned(), "pro".to_owned())].into());
        }
        let mut many = claims();
        many["aud"] = serde_json::json!(["other", SITE]);
        assert!(verified(&token(HS256, &many, "new")).is_ok());
    }

    #[test]
    fn each_wrong_token_has_its_code() {
        let with = |field: &str, value: serde_json::Value| {
            let mut changed = claims();
            changed[field] = value;
            token(HS256, &changed, "new")
        };
        let unsigned = token(r#"{"alg":"none"}"#, &claims(), "new");
        let good = token(HS256, &claims(), "new");
        let (head, _) = good.rsplit_once('.').unwrap();
        for (token, code) in [
            (String::new(), Code::IdentityMalformed),
            ("a.b".to_owned(), Code::IdentityMalformed),
            ("é.é.é".to_owned(), Code::IdentityMalformed),
            (unsigned, Code::IdentityMalformed),
            (format!("{head}."), Code::IdentitySignature),
            (token(HS256, &claims(), "guess"), Code::IdentitySignature),
            (with("aud", "other".into()), Code::IdentityAudience),
            (with("exp", (NOW_MS / 1000 - 61).into()), Code::IdentityExpired),
            (with("sub", "".into()), Code::IdentityMalformed),
            (with("sub", 7.into()), Code::IdentityMalformed),
            (with("exp", serde_json::Value::Null), Code::IdentityMalformed),
        ] {
            assert_eq!(verified(&token), Err(code), "{token}");
        }
        // The clock of the site's server may be a little slow.
        assert!(verified(&with("exp", (NOW_MS / 1000 - 59).into())).is_ok());
    }
}
