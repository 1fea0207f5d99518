//! The request context: what the headers of a display's request say about its visitor.

use asklet_shared::definition::when::Device;
use asklet_store::shard::arrival::{RequestContext, country_code};
use wasm_bindgen::prelude::*;
use worker::Env;
use worker::js_sys::Array;

use crate::http::{address, body};
use crate::platform::deployment;

#[wasm_bindgen(inline_js = "
export const readHeaders = (headers, names) =>
  names.map((name) => (name && headers.get(name)) ?? '').join('\\n');
")]
extern "C" {
    /// Returns the values of some headers, one per line, with a single call out of the module.
    #[wasm_bindgen(js_name = readHeaders)]
    fn read_headers(headers: &JsValue, names: &Array) -> String;
}

/// The headers that are read from a display's request, in addition to those that the operator names.
const HEADERS: [&str; 8] = [
    "origin",
    "content-type",
    "content-encoding",
    "content-length",
    "transfer-encoding",
    "user-agent",
    "sec-gpc",
    "dnt",
];

/// The headers to read from requests.
pub struct Intake {
    /// [`HEADERS`], and the headers in which the operator's proxy sends the visitor's address and country.
    names: Array,
    /// Whether the operator has named the header with the address.
    tells_address: bool,
}

impl Intake {
    /// Prepares to read the fixed headers and those that the deployment's variables name.
    pub fn of(env: &Env) -> Self {
        let named = |variable| deployment::variable(env, variable).unwrap_or_default();
        let (address, country) = (named(address::HEADER), named("ASKLET_COUNTRY_HEADER"));
        let names = HEADERS.into_iter().chain([address.as_str(), country.as_str()]);
        let tells_address = !address.is_empty();
        Self { names: names.map(JsValue::from_str).collect(), tells_address }
    }

    /// Reads the headers of a request.
    pub fn read(&self, headers: &JsValue) -> RequestContext {
        let values = read_headers(headers, &self.names);
        let mut values = values.split('\n');
        let mut next = || values.next().unwrap_or_default();
        let (origin, content_type, content_encoding) = (next(), next(), next());
        let (content_length, transfer_encoding) = (next(), next());
        let (agent, signals, addresses, country) = (next(), [next(), next()], next(), next());
        let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        RequestContext {
            origin: given(origin),
            content_type: content_type.to_owned(),
            content_encoding: content_encoding.to_owned(),
            length: body::length(content_length, transfer_encoding),
            address: self.tells_address.then(|| address::network(addresses)),
            country: country_code(country),
            device: device(agent).map_or("", Device::name),
            is_private: signals.iter().any(|signal| signal.trim() == "1"),
        }
    }
}

/// Returns the class of a device, by the browsers' conventions: tablets name themselves or leave out `Mobile`.
fn device(agent: &str) -> Option<Device> {
    let says = |word: &str| agent.contains(word);
    if agent.is_empty() {
        None
    } else if says("iPad") || says("Tablet") || (says("Android") && !says("Mobile")) {
        Some(Device::Tablet)
    } else if says("Mobi") || says("iPhone") {
        Some(Device::Phone)
    } else {
        Some(Device::Desktop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_told_apart_by_their_browsers() {
        let of = |agent| device(agent).map(Device::name);
        for (agent, class) in [
            ("Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0 Safari/537.36", "desktop"),
            ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0) Version/18.0 Mobile/15E148", "phone"),
            ("Mozilla/5.0 (Linux; Android 15; Pixel 9) Chrome/140.0 Mobile Safari", "phone"),
            ("Mozilla/5.0 (Linux; Android 15; SM-X910) Chrome/140.0 Safari", "tablet"),
            ("Mozilla/5.0 (iPad; CPU OS 18_0) Version/18.0 Mobile/15E148", "tablet"),
            ("Mozilla/5.0 (Android 15; Tablet; rv:140.0) Firefox/140.0", "tablet"),
        ] {
            assert_eq!(of(agent), Some(class), "{agent}");
        }
        assert_eq!(of(""), None);
    }
}
