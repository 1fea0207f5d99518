//! Time zones as the platform knows them. So no database of ours becomes outdated.

use asklet_protocol::failure::Failure;
use asklet_shared::problem::{Code, Problem};
use worker::js_sys::{Array, Date, Function, Intl, Object, Reflect};
use worker::wasm_bindgen::JsValue;

/// A time zone of the IANA database.
pub struct Zone {
    name: String,
    /// A JavaScript function that formats a date, with the zone's offset at the end of the text.
    format: Function,
}

impl Zone {
    /// Finds the zone with a name such as `Europe/Berlin`, or refuses the name.
    pub fn named(name: &str) -> Result<Self, Failure> {
        let options = Object::new();
        let set = |key: &str, value: &str| Reflect::set(&options, &key.into(), &value.into());
        set("timeZoneName", "longOffset").map_err(worker::Error::from)?;
        set("timeZone", name).map_err(worker::Error::from)?;
        // The constructor throws on an unknown name. The binding cannot report this, but the platform's own
        // call can.
        let known = Reflect::get(&worker::js_sys::global(), &"Intl".into())
            .and_then(|intl| Reflect::get(&intl, &"DateTimeFormat".into()))
            .and_then(|constructor| {
                let arguments = Array::of2(&"en-US".into(), &options);
                Reflect::construct(&Function::from(constructor), &arguments)
            });
        // The platform also accepts any offset, to the minute, as a zone.
        let is_offset = name.starts_with(['+', '-', '\u{2212}']);
        let Some(format) = known.ok().filter(|_| !is_offset) else {
            return Err(Problem::new(Code::InvalidQuery, "there is no such time zone")
                .at("tz")
                .limit("a zone of the IANA database, such as Europe/Berlin")
                .into());
        };
        let format = Intl::DateTimeFormat::from(format).format();
        Ok(Self { name: name.to_owned(), format })
    }

    /// The name of the zone.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns local time minus UTC, in milliseconds, at a time in UTC. Returns `None` if the platform writes
    /// the offset in a form that is not known here; such an offset must not be taken for UTC.
    pub fn offset_ms(&self, utc_ms: u64) -> Option<i64> {
        #[expect(clippy::cast_precision_loss, reason = "times are below 2^53")]
        let date = Date::new(&JsValue::from_f64(utc_ms as f64));
        parse_offset(&self.format.call1(&JsValue::UNDEFINED, &date).ok()?.as_string()?)
    }
}

/// For each release of the IANA database since 2026, newest first, one change that it made: a zone, a time, and
/// what the zone's clocks show at that time by the new rules, in minutes ahead of UTC. A release without a
/// change that figures can see has no line.
const RELEASES: [(&str, &str, u64, i64); 6] = [
    ("2026f", "America/Havana", DECEMBER_MS, -4 * 60),
    ("2026e", "America/Winnipeg", DECEMBER_MS, -5 * 60),
    ("2026d", "America/Inuvik", DECEMBER_MS, -6 * 60),
    ("2026c", "America/Edmonton", DECEMBER_MS, -6 * 60),
    ("2026b", "America/Vancouver", DECEMBER_MS, -7 * 60),
    // The clocks go back together with those of the European Union, at 01:00 UTC, and not an hour earlier.
    ("2026a", "Europe/Chisinau", 1_792_888_200_000, 3 * 60),
];

/// 1 December 2026, 00:00 UTC.
const DECEMBER_MS: u64 = 1_796_083_200_000;

/// Returns the newest release of the IANA database whose rules the platform demonstrably knows, or `None` if it
/// knows no release of 2026. The platform does not say which release it has.
pub fn release() -> Option<&'static str> {
    let knows = |(_, zone, utc_ms, minutes): &(&str, &str, u64, i64)| {
        Zone::named(zone).is_ok_and(|zone| zone.offset_ms(*utc_ms) == Some(minutes * 60_000))
    };
    RELEASES.iter().find(|change| knows(change)).map(|(release, ..)| *release)
}

/// Parses the offset at the end of a text: `…, GMT+05:45`, or `…, GMT` for no offset.
fn parse_offset(text: &str) -> Option<i64> {
    let (_, offset) = text.rsplit_once("GMT")?;
    if offset.is_empty() {
        return Some(0);
    }
    let digits = offset.strip_prefix(['+', '-', '\u{2212}'])?;
    let parts = digits.split(':').map(|part| part.parse::<i64>().ok().filter(|it| *it < 60));
    let parts = parts.collect::<Option<Vec<_>>>()?;
    let (hours, minutes, seconds) = match parts.as_slice() {
        [hours] => (hours, &0, &0),
        [hours, minutes] => (hours, minutes, &0),
        [hours, minutes, seconds] => (hours, minutes, seconds),
        _ => return None,
    };
    let ms = ((hours * 60 + minutes) * 60 + seconds) * 1000;
    Some(if offset.starts_with('+') { ms } else { -ms })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_is_read_from_the_end() {
        let minutes = |text| parse_offset(text).map(|ms| ms / 60_000);
        assert_eq!(minutes("11/1/2026, GMT"), Some(0));
        assert_eq!(minutes("11/1/2026, GMT+05:45"), Some(345));
        assert_eq!(minutes("11/1/2026, GMT-03:30"), Some(-210));
        assert_eq!(minutes("1/1/1970, GMT-00:44:30"), Some(-44));
        for unknown in
            ["11/1/2026", "11/1/2026, GMT+5:xx", "11/1/2026, GMT 2", "GMT+1:2:3:4", "GMT+"]
        {
            assert_eq!(minutes(unknown), None, "{unknown}");
        }
    }
}
