//! The browser tests, in each of the browsers that Debian ships.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::node::Node;
use crate::packages;
use crate::root;
use crate::step::{loud, timed};
use crate::tools;

/// Runs the browser tests, or those whose file or name matches, in the browsers that `ASKLET_BROWSERS` names,
/// or in all browsers that are installed.
pub fn browser_tests(matching: Option<&str>) -> Result<()> {
    let named = env::var("ASKLET_BROWSERS").unwrap_or_else(|_| "chromium,firefox,webkit".into());
    for name in named.split(',') {
        let browser = Browser::find(name)?;
        timed(&format!("browser tests in {name}"), || browser.test(matching))?;
    }
    Ok(())
}

/// A browser for the tests, and the programs that drive it.
struct Browser {
    name: &'static str,
    /// The variable that tells the tests the path of the browser.
    variable: &'static str,
    path: PathBuf,
}

impl Browser {
    fn find(name: &str) -> Result<Self> {
        let (name, variable, path) = match name {
            "chromium" => ("chromium", "CHROMIUM", tools::chromium()?),
            "firefox" => ("firefox", "FIREFOX", firefox()?),
            "webkit" => ("webkit", "MINI_BROWSER", webkit()?),
            _ => bail!("ASKLET_BROWSERS names {name}: known are chromium, firefox and webkit"),
        };
        Ok(Self { name, variable, path })
    }

    fn test(&self, matching: Option<&str>) -> Result<()> {
        let mut node = Node::find()?.command()?;
        node.arg(packages::node_file("@playwright/test/cli.js"));
        node.args(["test", "--config", "tests/browser/playwright.config.mjs"]);
        if let Some(matching) = matching {
            node.args(["--grep", matching]);
        }
        node.env("ASKLET_BROWSER", self.name).env(self.variable, &self.path);
        loud(node.current_dir(root()))
    }
}

fn firefox() -> Result<PathBuf> {
    let find = || {
        let named = env::var_os("FIREFOX").map(PathBuf::from);
        named.or_else(|| ["firefox-esr", "firefox"].into_iter().find_map(tools::on_path))
    };
    if let Some(firefox) = find() {
        return Ok(firefox);
    }
    tools::apt_install(&["firefox-esr"], "the browser tests run in Firefox too").context(
        "no Firefox: install one, name it in FIREFOX, or leave it out of ASKLET_BROWSERS",
    )?;
    find().context("the package firefox-esr brought no browser")
}

/// Finds WebKitGTK's browser for tests. It needs a driver, and a display of its own.
fn webkit() -> Result<PathBuf> {
    let find = || {
        let have_tools =
            ["WebKitWebDriver", "Xvfb"].iter().all(|name| tools::on_path(name).is_some());
        mini_browser().filter(|_| have_tools)
    };
    if let Some(browser) = find() {
        return Ok(browser);
    }
    tools::apt_install(&["webkit2gtk-driver", "xvfb"], "the browser tests run in WebKit too").context(
        "no WebKitGTK: install its MiniBrowser, WebKitWebDriver and Xvfb, or leave it out of ASKLET_BROWSERS",
    )?;
    find().context("the packages webkit2gtk-driver and xvfb brought no MiniBrowser")
}

/// Finds the browser, which is on no PATH: each distribution has a folder for it.
fn mini_browser() -> Option<PathBuf> {
    let named = env::var_os("MINI_BROWSER").map(PathBuf::from);
    let multiarch = format!("/usr/lib/{}-linux-gnu", env::consts::ARCH);
    let folders = [multiarch.as_str(), "/usr/lib", "/usr/libexec", "/usr/lib64"];
    let places = folders.map(|folder| Path::new(folder).join("webkit2gtk-4.1/MiniBrowser"));
    named.or_else(|| places.into_iter().find(|path| path.exists()))
}
