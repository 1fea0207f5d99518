//! The addresses of visitors and callers, as the limits count them.

use std::net::{IpAddr, SocketAddr};

/// The variable that names the header in which the operator's proxy sends the client's address.
pub const HEADER: &str = "ASKLET_ADDRESS_HEADER";

/// Returns the part of an address that a visitor cannot choose, from the header in which the operator's proxy
/// sends the address. For IPv6 these are the first 64 bits, since the visitor can choose the rest. A request
/// without the header bypassed the proxy, and all such requests count as one address.
pub fn network(header: &str) -> String {
    // Each proxy appends the address that it saw to the addresses that it received.
    let address = header.rsplit(',').next().unwrap_or_default().trim();
    let bare = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let bare = bare.unwrap_or(address);
    // The part after the `%` of a link-local address names an interface of the proxy itself.
    let bare = bare.split('%').next().unwrap_or_default();
    let socket = || address.parse::<SocketAddr>().map(|socket| socket.ip());
    match bare.parse::<IpAddr>().or_else(|_| socket()) {
        Ok(IpAddr::V4(ip)) => ip.to_string(),
        Ok(IpAddr::V6(ip)) => match ip.to_ipv4_mapped() {
            Some(ip) => ip.to_string(),
            None => {
                let [a, b, c, d, ..] = ip.segments();
                format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
            }
        },
        // A proxy may hide the address behind a name (RFC 7239, section 6).
        Err(_) => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_limited_by_what_its_owner_cannot_change() {
        for (header, expected) in [
            ("203.0.113.7", "203.0.113.7"),
            ("203.0.113.7:4711", "203.0.113.7"),
            ("198.51.100.1, 203.0.113.7", "203.0.113.7"),
            ("::ffff:203.0.113.7", "203.0.113.7"),
            ("[::ffff:cb00:7107]:4711", "203.0.113.7"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
            ("2001:DB8:1:2::1", "2001:db8:1:2::/64"),
            ("[2001:db8:1:2::1]", "2001:db8:1:2::/64"),
            ("[2001:db8:1:2::1]:443", "2001:db8:1:2::/64"),
            ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
            ("fe80::1%eth0", "fe80:0:0:0::/64"),
            ("_hidden", "_hidden"),
            ("", ""),
        ] {
            assert_eq!(network(header), expected, "{header}");
        }
    }
}
