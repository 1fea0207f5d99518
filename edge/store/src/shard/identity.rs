//! Verifies who answered, with tokens that a site's own server makes with one of the site's identity secrets.
//!
//! A token is a JSON Web Token (RFC 7519) signed with HS256 (RFC 7518, section 3.2): `sub` is the respondent,
//! `aud` the site, `exp` the time when it expires, and `traits` what the site says about the respondent. The
//! token must be valid when the survey was shown, and not when the answer arrives, because an answer may wait
//! in an outbox for 30 days. So a stolen token can be used for its lifetime and 30 days more, and the site
//! limits its lifetime.
//!
//! A refused token does not cost the answer: the display is stored without the token, and with the reason.

use std::collections::BTreeMap;

use asklet_protocol::respondent::{RESPONDENT_LIMIT, is_respondent};
use asklet_shared::problem::{Code, Problem};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use serde_json::{Map, Value};
use sha2::Sha256;

/// Number of seconds by which the clock of the site's server may be wrong.
const LEEWAY: f64 = 60.0;

/// Upper limit of a time in seconds. No realistic time in seconds is as large, and every realistic time in
/// milliseconds is.
const SECONDS_END: f64 = 100_000_000_000.0;

/// A person whom the site's server vouches for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The respondent's id, as the site names it.
    pub respondent: String,
    /// The traits that the site states.
    pub traits: BTreeMap<String, String>,
}

/// Which tokens a site accepts.
pub struct TokenPolicy<'a> {
    /// The site's id.
    pub site: &'a str,
    /// The secrets with which tokens are signed.
    pub secrets: &'a [String],
    /// Number of hours for which a token may be valid after it was made.
    pub max_hours: u16,
}

/// The times at which a token must be valid.
#[derive(Clone, Copy)]
pub struct Moment {
    /// When the survey was shown, in milliseconds since the epoch.
    pub shown_ms: u64,
    /// When the display arrived.
    pub now_ms: u64,
}

/// Verifies a token.
pub fn verify(token: &str, policy: &TokenPolicy<'_>, moment: Moment) -> Result<Identity, Problem> {
    let (header, claims) = read(token, policy.secrets)?;
    if header.get("alg").and_then(Value::as_str) != Some("HS256") {
        return Err(wrong("alg", "the token is not signed with HS256").limit("HS256"));
    }
    if header.contains_key("crit") {
        // RFC 7515, section 4.1.11: a recipient that does not know a critical extension must refuse the token.
        return Err(wrong("crit", "the token names critical extensions, and none is known here"));
    }
    check_audience(&claims, policy.site)?;
    check_times(&claims, policy.max_hours, moment)?;
    let respondent = claims.get("sub").and_then(Value::as_str);
    let respondent =
        respondent.filter(|respondent| is_respondent(respondent)).ok_or_else(|| {
            let detail = "the token's sub must be a text that is neither empty nor too long";
            wrong("sub", detail).limit(format!("1 to {RESPONDENT_LIMIT} characters"))
        })?;
    Ok(Identity { respondent: respondent.to_owned(), traits: traits(&claims)? })
}

/// A JSON object: a token's header, or its claims.
type Object = Map<String, Value>;

/// Splits a token into its header and its claims. Refuses a token whose signature is wrong.
fn read(token: &str, secrets: &[String]) -> Result<(Object, Object), Problem> {
    let malformed = |detail: &'static str| {
        Problem::new(Code::IdentityMalformed, detail)
            .at("identity")
            .limit("a JSON Web Token signed with HS256, with sub, aud and exp")
    };
    let parts = || malformed("the token has not three parts");
    let (signed, signature) = token.rsplit_once('.').ok_or_else(parts)?;
    let (header, claims) = signed.split_once('.').ok_or_else(parts)?;
    if claims.contains('.') {
        return Err(parts());
    }
    let decode = |part: &str| {
        URL_SAFE_NO_PAD.decode(part).map_err(|_| malformed("a part of the token is not base64url"))
    };
    let object = |part: &str| {
        serde_json::from_slice::<Object>(&decode(part)?)
            .map_err(|_| malformed("a part of the token is no JSON object"))
    };
    let header = object(header)?;
    let signature = decode(signature)?;
    // Every secret is tried in constant time.
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
    Ok((header, object(claims)?))
}

/// Checks the audience. RFC 7519, section 4.1.3, allows one audience or several.
fn check_audience(claims: &Object, site: &str) -> Result<(), Problem> {
    let is_for_site = match claims.get("aud") {
        Some(Value::String(audience)) => audience == site,
        Some(Value::Array(audiences)) => audiences.iter().any(|audience| audience == site),
        _ => return Err(wrong("aud", "the token's aud is neither a text nor a list").limit(site)),
    };
    if is_for_site {
        return Ok(());
    }
    let detail = "the token is for another site";
    Err(Problem::new(Code::IdentityAudience, detail).at("identity.aud").limit(site))
}

/// Refuses a token that had expired when the survey was shown, that is not valid yet, or that is valid for
/// longer than the site allows. A token that does not say when it was made counts as made when it arrives.
fn check_times(
    claims: &Object,
    max_hours: u16,
    Moment { shown_ms, now_ms }: Moment,
) -> Result<(), Problem> {
    let (shown, now) = (shown_ms as f64 / 1000.0, now_ms as f64 / 1000.0);
    let exp = seconds(claims, "exp")?.ok_or_else(|| wrong("exp", "the token has no exp"))?;
    let iat = seconds(claims, "iat")?;
    for (claim, from) in [("nbf", seconds(claims, "nbf")?), ("iat", iat)] {
        if from.is_some_and(|from| now + LEEWAY < from) {
            return Err(Problem::new(Code::IdentityNotYetValid, "the token is not valid yet")
                .at(format!("identity.{claim}"))
                .limit(format!("at most {}", now_ms / 1000)));
        }
    }
    if exp + LEEWAY < shown {
        let detail = "the token had expired when the survey was shown";
        return Err(Problem::new(Code::IdentityExpired, detail)
            .at("identity.exp")
            .limit(format!("at least {}", shown_ms / 1000)));
    }
    let longest = f64::from(max_hours) * 3_600.0 + LEEWAY;
    if iat.unwrap_or(now) + longest < exp {
        let detail = "the token is valid for longer than the site allows";
        let from = if iat.is_some() { "iat" } else { "now, since there is no iat" };
        return Err(Problem::new(Code::IdentityLifetime, detail)
            .at("identity.exp")
            .limit(format!("{max_hours} hours after {from}")));
    }
    Ok(())
}

/// Reads a time, which RFC 7519 allows to have a fraction.
fn seconds(claims: &Object, claim: &str) -> Result<Option<f64>, Problem> {
    let Some(value) = claims.get(claim) else { return Ok(None) };
    match value.as_f64().filter(|seconds| (0.0..SECONDS_END).contains(seconds)) {
        Some(seconds) => Ok(Some(seconds)),
        None => Err(wrong(claim, "the claim is no time in seconds since the epoch")
            .limit("a number of seconds, not of milliseconds")),
    }
}

/// Returns the traits that are texts, numbers or booleans, as texts. Other values cannot be traits of a survey.
fn traits(claims: &Object) -> Result<BTreeMap<String, String>, Problem> {
    let traits = match claims.get("traits") {
        Some(Value::Object(traits)) => traits,
        None | Some(Value::Null) => return Ok(BTreeMap::new()),
        // PHP encodes an empty array this way.
        Some(Value::Array(list)) if list.is_empty() => return Ok(BTreeMap::new()),
        Some(_) => return Err(wrong("traits", "the token's traits are no object")),
    };
    let texts = traits.iter().filter_map(|(key, value)| {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Bool(_) => value.to_string(),
            // 1.0 and 1 are the same number, and JavaScript writes 1.0 as 1.
            Value::Number(number) => {
                let text = number.to_string();
                text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
            }
            Value::Null | Value::Array(_) | Value::Object(_) => return None,
        };
        Some((key.clone(), text))
    });
    Ok(texts.collect())
}

/// Returns the problem for a claim that cannot be read.
fn wrong(claim: &str, detail: &'static str) -> Problem {
    Problem::new(Code::IdentityMalformed, detail).at(format!("identity.{claim}"))
}

#[cfg(test)]
mod tests {
    use asklet_shared::time::DAY_MS;
    use serde_json::json;

    use super::*;

    const NOW_MS: u64 = 1_763_785_907_123;
    const NOW: u64 = NOW_MS / 1000;
    const SITE: &str = "any-site";

    fn token(header: &str, claims: &str, secret: &str) -> String {
        let signed =
            format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        let signature = mac.chain_update(signed.as_bytes()).finalize().into_bytes();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn claims() -> Value {
        json!({ "sub": "u1", "aud": SITE, "exp": NOW + 60, "traits": { "plan": "pro" } })
    }

    const HS256: &str = r#"{"alg":"HS256","typ":"JWT"}"#;

    fn verified_at(token: &str, moment: Moment) -> Result<Identity, Problem> {
        let secrets = ["old".to_owned(), "new".to_owned()];
        verify(token, &TokenPolicy { site: SITE, secrets: &secrets, max_hours: 24 }, moment)
    }

    fn verified(token: &str) -> Result<Identity, Problem> {
        verified_at(token, Moment { shown_ms: NOW_MS, now_ms: NOW_MS })
    }

    /// Makes a token in which one claim is replaced.
    fn with(claim: &str, value: Value) -> String {
        let mut changed = claims();
        changed[claim] = value;
        token(HS256, &changed.to_string(), "new")
    }

    #[test]
    fn the_example_of_the_standard_verifies() {
        // RFC 7515, appendix A.1, whose key is random bytes: the signature of its signing input.
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
            let identity = verified(&token(HS256, &claims().to_string(), secret)).unwrap();
            assert_eq!(identity.respondent, "u1");
            assert_eq!(identity.traits, [("plan".to_owned(), "pro".to_owned())].into());
        }
        verified(&with("aud", json!(["other", SITE, 7]))).unwrap();
    }

    #[test]
    fn each_wrong_token_has_its_code_and_names_the_claim() {
        let all = claims().to_string();
        let good = token(HS256, &all, "new");
        let (head, _) = good.rsplit_once('.').unwrap();
        let malformed = Code::IdentityMalformed;
        for (token, code, field) in [
            (String::new(), malformed, "identity"),
            ("a.b".to_owned(), malformed, "identity"),
            ("é.é.é".to_owned(), malformed, "identity"),
            (format!("{good}.{good}"), malformed, "identity"),
            (token(HS256, "[]", "new"), malformed, "identity"),
            (format!("{head}."), Code::IdentitySignature, "identity"),
            (token(HS256, &all, "guess"), Code::IdentitySignature, "identity"),
            (token(r#"{"alg":"none"}"#, &all, "new"), malformed, "identity.alg"),
            (token("{}", &all, "new"), malformed, "identity.alg"),
            (token(r#"{"alg":"HS256","crit":["b64"]}"#, &all, "new"), malformed, "identity.crit"),
            (with("aud", json!("other")), Code::IdentityAudience, "identity.aud"),
            (with("aud", json!(["other"])), Code::IdentityAudience, "identity.aud"),
            (with("aud", json!({})), malformed, "identity.aud"),
            (with("sub", json!("")), malformed, "identity.sub"),
            (with("sub", json!(7)), malformed, "identity.sub"),
            (with("sub", json!("x".repeat(201))), malformed, "identity.sub"),
            (with("exp", Value::Null), malformed, "identity.exp"),
            (with("exp", json!("soon")), malformed, "identity.exp"),
            (with("exp", json!(NOW_MS + 60_000)), malformed, "identity.exp"),
            (with("exp", json!(-1)), malformed, "identity.exp"),
            (with("nbf", json!(NOW_MS)), malformed, "identity.nbf"),
            (with("iat", json!(true)), malformed, "identity.iat"),
            (with("exp", json!(NOW - 61)), Code::IdentityExpired, "identity.exp"),
            (with("nbf", json!(NOW + 62)), Code::IdentityNotYetValid, "identity.nbf"),
            (with("iat", json!(NOW + 62)), Code::IdentityNotYetValid, "identity.iat"),
            (with("traits", json!("pro")), malformed, "identity.traits"),
            (with("traits", json!(["pro"])), malformed, "identity.traits"),
        ] {
            let problem = verified(&token).unwrap_err();
            assert_eq!((problem.code, problem.field.as_deref()), (code, Some(field)), "{token}");
        }
        // The clock of the site's server may be a little slow, or fast.
        for (claim, at) in [("exp", NOW - 59), ("nbf", NOW + 59), ("iat", NOW + 59)] {
            verified(&with(claim, json!(at))).unwrap();
        }
    }

    #[test]
    fn what_other_makers_of_tokens_write_is_read() {
        for exp in ["1763785967.5", "1.763785967e9"] {
            let claims = format!(r#"{{"sub":"u1","aud":"{SITE}","exp":{exp},"traits":[]}}"#);
            assert_eq!(verified(&token(HS256, &claims, "new")).unwrap().traits, BTreeMap::new());
        }
        verified(&with("traits", Value::Null)).unwrap();
        let traits = r#"{"plan":"pro","seats":3,"since":1.0,"rate":0.5,"paid":true,
            "address":{"city":"Ulm"},"tags":["a"],"gone":null}"#;
        let identity = verified(&with("traits", serde_json::from_str(traits).unwrap())).unwrap();
        let texts: Vec<_> = identity.traits.iter().map(|(key, at)| (key.as_str(), &**at)).collect();
        let expected =
            [("paid", "true"), ("plan", "pro"), ("rate", "0.5"), ("seats", "3"), ("since", "1")];
        assert_eq!(texts, expected);
    }

    #[test]
    fn no_token_holds_for_longer_than_the_site_allows() {
        let day = 24 * 3_600;
        let code = |iat: Option<u64>, exp: u64| {
            let mut changed = claims();
            changed["exp"] = json!(exp);
            if let Some(iat) = iat {
                changed["iat"] = json!(iat);
            }
            let token = token(HS256, &changed.to_string(), "new");
            verified(&token).map(drop).map_err(|problem| problem.code)
        };
        let refused = Err(Code::IdentityLifetime);
        assert_eq!(code(Some(NOW - 100), NOW - 100 + day), Ok(()));
        assert_eq!(code(Some(NOW - 100), NOW - 100 + day + 61), refused);
        // A token that does not say when it was made counts as made now.
        assert_eq!(code(None, NOW + day), Ok(()));
        assert_eq!(code(None, NOW + day + 62), refused);
        assert_eq!(code(Some(NOW - 10 * day), NOW + 1), refused);
    }

    #[test]
    fn a_token_is_of_use_for_its_lifetime_and_what_an_outbox_keeps() {
        let outbox_ms = 30 * DAY_MS;
        let mut changed = claims();
        (changed["iat"], changed["exp"]) = (json!(NOW), json!(NOW + 24 * 3_600));
        let token = token(HS256, &changed.to_string(), "new");
        // However old a display is according to the client, it counts as shown at most 30 days ago.
        let sent = |after_ms: u64| {
            let now_ms = NOW_MS + after_ms;
            let moment = Moment { shown_ms: now_ms - outbox_ms, now_ms };
            verified_at(&token, moment).map(drop).map_err(|problem| problem.code)
        };
        assert_eq!(sent(outbox_ms + DAY_MS), Ok(()));
        assert_eq!(sent(outbox_ms + DAY_MS + 61_000), Err(Code::IdentityExpired));
    }
}
