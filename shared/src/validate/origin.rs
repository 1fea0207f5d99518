//! The origins that a site can list.

/// Checks that a text is an origin that a site can list: a scheme, a host, which may be `*.` and a domain, and
/// optionally a port; or `*`. The error says what is wrong if browsers would write the origin in another way.
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

/// Whether a text is an origin that a site can list.
pub fn is_origin(text: &str) -> bool {
    let Some(host) = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")) else {
        return text == "*";
    };
    // Like browsers write it, since otherwise it would match no origin: without a default port.
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
