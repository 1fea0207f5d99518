//! Language tags (BCP 47), compared as in CLDR 48: with current codes, and with the likely script if a tag
//! names none. So `zh-TW` is near to `zh-Hant` and not to `zh-CN`, and `iw` is `he`.

/// The parts of a tag that are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Parts {
    language: Short<8>,
    /// Empty if the tag names none and the language has only one.
    script: Short<4>,
    /// Empty if the tag names none.
    region: Short<3>,
}

/// A part of a tag in lower case, filled up with NULs. Thousands of tags are compared, so a part needs no
/// allocation of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Short<const LENGTH: usize>([u8; LENGTH]);

impl<const LENGTH: usize> Short<LENGTH> {
    /// Empty if the part is longer.
    fn of(part: &str) -> Self {
        let mut bytes = [0; LENGTH];
        if let Some(start) = bytes.get_mut(..part.len()) {
            start.copy_from_slice(part.as_bytes());
            bytes.make_ascii_lowercase();
        }
        Self(bytes)
    }

    fn as_str(&self) -> &str {
        str::from_utf8(&self.0).unwrap_or_default().trim_end_matches('\0')
    }
}

impl Parts {
    fn of(tag: &str) -> Self {
        let mut parts = tag.split('-');
        let named = Short::<8>::of(parts.next().unwrap_or_default());
        let (language, script) = today(named.as_str());
        let (language, mut script) = (Short::of(language), Short::of(script));
        let mut region = Short::of("");
        for part in parts {
            let is_letters = part.chars().all(|c| c.is_ascii_alphabetic());
            let is_digits = part.chars().all(|c| c.is_ascii_digit());
            match part.len() {
                // The rest is an extension.
                1 => break,
                4 if is_letters => script = Short::of(part),
                2 if is_letters => region = Short::of(part),
                3 if is_digits => region = Short::of(part),
                _ => {}
            }
        }
        if script.as_str().is_empty() {
            script = Short::of(likely_script(language.as_str(), region.as_str()));
        }
        Self { language, script, region }
    }
}

/// Returns the current code of a language, and its script if the old code implied one.
fn today(language: &str) -> (&str, &str) {
    match language {
        "iw" => ("he", ""),
        "in" => ("id", ""),
        "ji" => ("yi", ""),
        "jw" => ("jv", ""),
        "mo" => ("ro", ""),
        "tl" => ("fil", ""),
        "cmn" => ("zh", ""),
        "sh" => ("sr", "latn"),
        // Norwegian means Bokmål.
        "nb" => ("no", ""),
        other => (other, ""),
    }
}

/// Returns the script of a language that is written in several, by its region.
fn likely_script(language: &str, region: &str) -> &'static str {
    match (language, region) {
        (
            "zh",
            "au" | "bn" | "gb" | "gf" | "hk" | "id" | "mo" | "pa" | "pf" | "ph" | "sr" | "th"
            | "tw" | "us" | "vn",
        ) => "hant",
        ("zh", _) | ("yue", "cn") => "hans",
        ("yue", _) => "hant",
        ("sr", "me" | "ro" | "tr") | ("ky", "tr") => "latn",
        ("az", "ru") | ("uz", "cn") | ("ug", "kz" | "mn") => "cyrl",
        ("az", "iq" | "ir")
        | ("uz", "af")
        | ("kk", "af" | "cn" | "ir" | "mn")
        | ("ky", "cn")
        | ("tg" | "pa", "pk")
        | ("ku", "iq" | "ir" | "lb")
        | ("ha", "cm" | "sd")
        | ("ms", "cc") => "arab",
        ("mn", "cn") => "mong",
        ("sd", "in") => "deva",
        ("pa", _) => "guru",
        ("sr" | "kk" | "ky" | "mn" | "tg" | "tt", _) => "cyrl",
        ("az" | "uz" | "ku" | "ha" | "ms" | "bs", _) => "latn",
        ("ar" | "ckb" | "fa" | "ks" | "ps" | "sd" | "ug" | "ur", _) => "arab",
        ("he" | "yi", _) => "hebr",
        ("dv", _) => "thaa",
        ("nqo", _) => "nkoo",
        _ => "",
    }
}

/// Finds the spoken language that is nearest to a wanted one: the same language, script and region, then the
/// same language and script, then the same language. If several match, it is the one with the wanted tag
/// itself, or the shortest tag, which most people can read. The case of tags does not matter.
pub fn nearest<'a>(wanted: &str, spoken: &[&'a str]) -> Option<&'a str> {
    if let Some(tag) = spoken.iter().find(|tag| tag.eq_ignore_ascii_case(wanted)) {
        return Some(tag);
    }
    let wanted = Parts::of(wanted);
    let mut spoken: Vec<_> = spoken.iter().map(|tag| (Parts::of(tag), *tag)).collect();
    spoken.sort_by_key(|(_, tag)| tag.len());
    let is_same = |parts: &Parts| parts == &wanted;
    let is_written =
        |parts: &Parts| parts.language == wanted.language && parts.script == wanted.script;
    let is_spoken = |parts: &Parts| parts.language == wanted.language;
    let first = |test: &dyn Fn(&Parts) -> bool| {
        spoken.iter().find(|(parts, _)| test(parts)).map(|(_, tag)| *tag)
    };
    if wanted.language.as_str().is_empty() {
        return None;
    }
    first(&is_same).or_else(|| first(&is_written)).or_else(|| first(&is_spoken))
}

/// Whether a language is written from right to left, by the script that its tag names or by the likely one.
pub fn is_right_to_left(tag: &str) -> bool {
    let script = Parts::of(tag).script;
    matches!(script.as_str(), "arab" | "hebr" | "thaa" | "nkoo" | "syrc" | "adlm")
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
    use serde_json::Value;

    use super::*;

    #[test]
    fn the_nearest_language_that_is_spoken_is_found() {
        // The page's script finds the same: tests/loader/language.test.mjs.
        let cases: Vec<Value> =
            serde_json::from_str(include_str!("../../../tests/loader/nearest.json")).unwrap();
        for case in cases {
            let wanted = case["wanted"].as_str().unwrap();
            let spoken: Vec<_> = case["spoken"]
                .as_array()
                .unwrap()
                .iter()
                .map(|tag| tag.as_str().unwrap())
                .collect();
            assert_eq!(
                nearest(wanted, &spoken),
                case["nearest"].as_str(),
                "{wanted} of {spoken:?}"
            );
        }
    }

    #[test]
    fn the_script_says_more_than_the_language() {
        for tag in ["ar", "he-IL", "iw", "az-Arab", "pa-Arab-PK", "pa-PK", "uz-AF", "ckb", "ku-IQ"]
        {
            assert!(is_right_to_left(tag), "{tag}");
        }
        for tag in ["en", "ar-Latn", "az", "de-AT", "pa", "ku", "zh-TW", ""] {
            assert!(!is_right_to_left(tag), "{tag}");
        }
    }

    #[test]
    fn a_tag_is_letters_and_then_short_parts() {
        assert!(["en", "de-AT", "zh-Hant-TW", "es-419"].into_iter().all(is_language));
        assert!(
            !["", "e", "de_AT", "de-", "-de", "12", "de-toolongpart"].into_iter().any(is_language)
        );
    }
}
