//! Markup, built so that no text that a person wrote can become part of it: markup is written in the source
//! code, and everything else is escaped.

/// A piece of HTML.
#[derive(Debug, Default)]
pub struct Html(String);

impl Html {
    /// Adds markup of our own.
    pub fn raw(&mut self, markup: &'static str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// Adds a text, as content or between the double quotes of an attribute.
    pub fn text(&mut self, text: &str) -> &mut Self {
        for char in text.chars() {
            match char {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                char => self.0.push(char),
            }
        }
        self
    }

    /// Adds the content of a style element. HTML does not escape there, so the character that could end the
    /// element is left out.
    pub fn style(&mut self, style: &str) -> &mut Self {
        self.0.extend(style.chars().filter(|char| *char != '<'));
        self
    }

    /// Returns the markup.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_becomes_markup() {
        let mut html = Html::default();
        html.raw("<p title=\"")
            .text("\" onfocus='x' &amp;")
            .raw("\">")
            .text("<script>")
            .raw("</p>");
        let escaped = "<p title=\"&quot; onfocus=&#39;x&#39; &amp;amp;\">&lt;script&gt;</p>";
        assert_eq!(html.as_str(), escaped);
        let mut style = Html::default();
        style.style(".a{color:red}</style><script>");
        assert_eq!(style.as_str(), ".a{color:red}/style>script>");
    }
}
