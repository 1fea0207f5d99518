//! The hosted page as a browser without scripts meets it.

use crate::{Answer, Deployment};

/// A page, and the form on it if there is one.
pub struct Page {
    /// The answer that brought it.
    pub answer: Answer,
    /// Its document.
    pub html: String,
    path: String,
}

impl Page {
    /// The page at a path.
    pub fn open(deployment: &Deployment, path: &str) -> Self {
        Self::of(deployment.request("GET", path).get(), path)
    }

    /// What an answer from a path brought.
    pub fn of(answer: Answer, path: &str) -> Self {
        let html = String::from_utf8(answer.body.clone()).expect("a document");
        Self { answer, html, path: path.to_owned() }
    }

    /// Sends its form, with these fields besides those that it carries, as a browser does.
    pub fn send(&self, deployment: &Deployment, fields: &[(&str, &str)]) -> Self {
        let headers = [("sec-fetch-site", "same-origin"), ("origin", "null")];
        self.send_with(deployment, fields, &headers)
    }

    /// Sends its form with these headers.
    pub fn send_with(
        &self,
        deployment: &Deployment,
        fields: &[(&str, &str)],
        headers: &[(&str, &str)],
    ) -> Self {
        let request = deployment.request("POST", &self.path);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let request = headers.iter().fold(request, |it, (name, value)| it.header(name, value));
        Self::of(request.send(&self.form(fields)), &self.path)
    }

    /// The form as it travels.
    pub fn form(&self, fields: &[(&str, &str)]) -> String {
        let carried = self.carried();
        let carried = carried.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let pairs = carried.chain(fields.iter().copied());
        let pairs: Vec<_> =
            pairs.map(|(name, value)| format!("{name}={}", percent(value))).collect();
        pairs.join("&")
    }

    /// The fields that its form carries along.
    pub fn carried(&self) -> Vec<(String, String)> {
        let inputs = self.html.split("<input type=\"hidden\" ").skip(1);
        let attribute = |input: &str, name: &str| {
            let after = input.split(&format!("{name}=\"")).nth(1).expect("an attribute");
            unescaped(after.split('"').next().expect("its value"))
        };
        inputs.map(|input| (attribute(input, "name"), attribute(input, "value"))).collect()
    }

    /// Whether something stands in it.
    pub fn has(&self, part: &str) -> bool {
        self.html.contains(part)
    }
}

fn unescaped(text: &str) -> String {
    let entities = [("&quot;", "\""), ("&#39;", "'"), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")];
    entities.iter().fold(text.to_owned(), |text, (entity, char)| text.replace(entity, char))
}

fn percent(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}
