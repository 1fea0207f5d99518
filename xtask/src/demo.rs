//! The demo: a site, a key and a live NPS survey, made once for a data folder over the same API that a team
//! uses, and a page that shows the survey.

use std::fs;

use anyhow::{Context, Result, anyhow};
use asklet_shared::definition::Definition;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::data::{self, DataFolder};

/// The survey of the demo.
const SURVEY: &str = include_str!("demo/survey.json");

/// The page of the demo; `{site}` stands for the site's id.
const PAGE: &str = include_str!("demo/page.html");

/// The demo of a data folder, stored there with the key that the API shows only once.
#[derive(Serialize, Deserialize)]
struct Demo {
    site: String,
    key: String,
    survey: String,
}

/// Makes the demo unless this folder has one, and prints its address.
pub fn prepare(folder: &DataFolder, url: &str, admin_token: &str) -> Result<()> {
    let kept = folder.path().join("demo.json");
    let demo: Demo = match fs::read(&kept) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .with_context(|| format!("{} is damaged", kept.display()))?,
        Err(_) => {
            let demo = create(url, admin_token)?;
            data::write_private(&kept, &serde_json::to_string(&demo)?)?;
            demo
        }
    };
    let Demo { site, key, survey } = &demo;
    fs::write(folder.path().join("demo/index.html"), PAGE.replace("{site}", site))?;
    println!("  page     {url}/demo");
    println!("  key      {key}");
    println!(
        "  summary  curl -s -H 'Authorization: Bearer {key}' {url}/v1/sites/{site}/surveys/{survey}/summary"
    );
    Ok(())
}

fn create(url: &str, admin_token: &str) -> Result<Demo> {
    #[derive(Deserialize)]
    struct Created {
        site: String,
        key: String,
    }
    #[derive(Deserialize)]
    struct Draft {
        survey: String,
    }
    let site = serde_json::json!({ "name": "Demo", "origins": ["*"] });
    let Created { site, key } = post(&format!("{url}/v1/sites"), admin_token, &site)?;
    let surveys = format!("{url}/v1/sites/{site}/surveys");
    let Draft { survey } = post(&surveys, &key, &definition()?)?;
    post::<serde_json::Value>(&format!("{surveys}/{survey}/publish"), &key, &())?;
    Ok(Demo { site, key, survey })
}

/// Returns the definition of the demo's survey.
pub fn definition() -> Result<Definition> {
    serde_json::from_str(SURVEY).context("the demo's survey is damaged")
}

fn post<T: DeserializeOwned>(url: &str, token: &str, body: &impl Serialize) -> Result<T> {
    let agent: ureq::Agent =
        ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let request = agent.post(url).header("authorization", format!("Bearer {token}"));
    let mut response = request.send_json(body).with_context(|| format!("POST {url}"))?;
    let text = response.body_mut().read_to_string()?;
    if !response.status().is_success() {
        return Err(anyhow!("POST {url} answered {}: {text}", response.status()));
    }
    Ok(serde_json::from_str(&text)?)
}
