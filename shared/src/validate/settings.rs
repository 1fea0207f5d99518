//! The rules of a site's settings.

use super::checks::{DAYS_LIMIT, check_link, check_text, count, invalid, plain, range};
use super::looks;
use super::origin::check_origin;
use crate::definition::language::is_language;
use crate::problem::{Code, Problem};
use crate::settings::Settings;

/// Checks the rules that serde cannot check. The caller must check the name of the time zone.
pub fn settings(settings: &Settings) -> Result<(), Problem> {
    check(settings).map_err(|problem| Problem { code: Code::InvalidSettings, ..problem })
}

fn check(settings: &Settings) -> Result<(), Problem> {
    plain("name", &settings.name, 100)?;
    count("origins", settings.origins.len(), 1, 50)?;
    for (at, origin) in settings.origins.iter().enumerate() {
        if let Err(detail) = check_origin(origin) {
            return invalid(&format!("origins[{at}]"), detail);
        }
    }
    if !is_language(&settings.language) {
        return invalid("language", "the language is not a BCP 47 tag such as de or de-AT");
    }
    range("limits.address_per_minute", settings.limits.address_per_minute, 1, 100_000)?;
    range("limits.shard_per_second", settings.limits.shard_per_second, 1, 100_000)?;
    range("limits.survey_per_minute", settings.limits.survey_per_minute, 1, 10_000_000)?;
    range("limits.survey_displays", settings.limits.survey_displays, 1, 1_000_000_000)?;
    range("limits.survey_megabytes", settings.limits.survey_megabytes, 1, 10_000)?;
    range("identity_max_hours", settings.identity_max_hours, 1, 8_784)?;
    range("rest_days", settings.rest_days, 0, DAYS_LIMIT)?;
    if let Some(url) = &settings.notice.privacy_url {
        check_link("notice.privacy_url", url, &["https", "http"])?;
    }
    if let Some(why) = &settings.notice.why {
        check_text("notice.why", why, &settings.language, 500)?;
    }
    looks::theme("theme", &settings.theme)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn each_broken_rule_names_its_field() {
        let valid = json!({ "name": "Shop", "origins": ["https://*.shop.example"] });
        assert_eq!(settings(&serde_json::from_value(valid.clone()).unwrap()), Ok(()));
        let changes: [(&str, Value, &str); 15] = [
            ("name", json!(" "), "name"),
            ("origins", json!([]), "origins"),
            ("origins", json!(["*", "shop.example"]), "origins[1]"),
            ("language", json!("de_AT"), "language"),
            ("limits", json!({ "address_per_minute": 0 }), "limits.address_per_minute"),
            ("limits", json!({ "survey_per_minute": 0 }), "limits.survey_per_minute"),
            ("limits", json!({ "survey_displays": 0 }), "limits.survey_displays"),
            ("limits", json!({ "survey_megabytes": 10_001 }), "limits.survey_megabytes"),
            ("theme", json!({ "light": { "text": "#777777" } }), "theme.light.text"),
            ("rest_days", json!(4_000), "rest_days"),
            ("identity_max_hours", json!(0), "identity_max_hours"),
            ("identity_max_hours", json!(8_785), "identity_max_hours"),
            ("notice", json!({ "privacy_url": "javascript:alert(1)" }), "notice.privacy_url"),
            ("notice", json!({ "why": { "de": "Darum" } }), "notice.why"),
            ("theme", json!({ "font": "x; } * { color: red" }), "theme.font"),
        ];
        for (field, value, at) in changes {
            let mut broken = valid.clone();
            broken[field] = value;
            let problem = settings(&serde_json::from_value(broken).unwrap()).unwrap_err();
            assert_eq!((problem.code, problem.field.as_deref()), (Code::InvalidSettings, Some(at)));
        }
    }
}
