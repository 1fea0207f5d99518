//! The workerd that package.json pins: its binary, its version and its age. Its store is marked experimental
//! upstream, so the version is pinned exactly. A pin that nobody moves becomes outdated, and with it the time
//! zones of the figures, which are the runtime's.

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use asklet_shared::period::parse_instant;
use asklet_shared::time::DAY_MS;

use crate::packages::{npm_version, platform_binary};

/// The age in days from which on a build warns.
const OLD_DAYS: u64 = 90;

/// Returns the path of its binary. npm may block install scripts, so the binary inside the package is called
/// directly.
pub fn workerd() -> Result<PathBuf> {
    platform_binary("@cloudflare", "workerd-", "workerd")
}

/// Prints its version and its age.
pub fn report() -> Result<()> {
    let version = npm_version("workerd")?;
    let now_ms = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
    println!("{}", notice(&version, age_days(&version, u64::try_from(now_ms)?)?));
    Ok(())
}

fn notice(version: &str, days: u64) -> String {
    let age = format!("{:<24} {version}, {days} days old", "workerd");
    if days <= OLD_DAYS {
        return age;
    }
    format!(
        "{age}\nwarning: after {OLD_DAYS} days a newer workerd is due, for its fixes and its time \
         zones: ARCHITECTURE.md says how to move on"
    )
}

/// Returns the number of days between the day that a version names, such as 1.20261117.1, and a time.
fn age_days(version: &str, now_ms: u64) -> Result<u64> {
    let made_ms = made_ms(version).with_context(|| format!("workerd {version} names no day"))?;
    Ok(now_ms.saturating_sub(made_ms) / DAY_MS)
}

fn made_ms(version: &str) -> Option<u64> {
    let day = version.split('.').nth(1).filter(|day| day.len() == 8)?;
    let (year, month, day) = (day.get(..4)?, day.get(4..6)?, day.get(6..)?);
    parse_instant("version", &format!("{year}-{month}-{day}T00:00:00Z")).ok()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::packages::package_lock;
    use crate::root;

    fn age_on(version: &str, day: &str) -> Result<u64> {
        age_days(version, parse_instant("now", &format!("{day}T12:00:00Z")).unwrap())
    }

    #[test]
    fn the_age_of_the_runtime_is_counted_from_the_day_in_its_version() {
        assert_eq!(age_on("1.20261117.1", "2026-11-17").unwrap(), 0);
        assert_eq!(age_on("1.20261117.1", "2026-11-29").unwrap(), 12);
        assert_eq!(age_on("1.20261117.1", "2027-02-15").unwrap(), 90);
        assert_eq!(age_on("1.20240228.0", "2024-03-01").unwrap(), 2);
        // A clock that is behind.
        assert_eq!(age_on("1.20261117.1", "2026-01-01").unwrap(), 0);
        for version in ["", "1", "1.2026111.1", "1.20261317.1", "1.2026-11-.1", "latest"] {
            assert!(age_on(version, "2026-11-29").is_err(), "{version}");
        }
    }

    #[test]
    fn a_build_warns_of_a_runtime_that_is_older_than_90_days_and_of_no_other() {
        assert!(!notice("1.20261117.1", 90).contains("warning"));
        let old = notice("1.20261117.1", 91);
        assert!(old.contains("1.20261117.1, 91 days old\nwarning: "), "{old}");
    }

    #[test]
    fn the_pinned_version_names_its_day() {
        assert!(age_on(&npm_version("workerd").unwrap(), "2026-11-29").is_ok());
    }

    #[test]
    fn wrangler_runs_the_same_workerd() {
        let lock = package_lock().unwrap();
        let wrangler = &lock["packages"]["node_modules/wrangler"]["dependencies"]["workerd"];
        assert_eq!(*wrangler, npm_version("workerd").unwrap());
    }

    #[test]
    fn both_ways_to_run_name_the_same_compatibility_date() {
        let date = |file: &str, before: &str| {
            let text = fs::read_to_string(root().join(file)).unwrap();
            let (_, rest) = text.split_once(before).unwrap();
            rest.split('"').nth(1).unwrap().to_owned()
        };
        assert_eq!(
            date("edge/workerd.capnp", "compatibilityDate"),
            date("wrangler.toml", "compatibility_date")
        );
    }
}
