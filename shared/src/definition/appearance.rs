//! How a survey looks: its place in the page, and the tokens of its theme. Tokens are typed, so that nobody can
//! write style rules into another person's page.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The lowest contrast of text on its background: WCAG 2.2, success criterion 1.4.3.
pub const LEAST_CONTRAST: f64 = 4.5;

/// How one survey looks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Appearance {
    /// The place in the page.
    pub position: Position,
    /// The tokens that differ from the site's theme.
    pub theme: Theme,
}

/// The place of a survey in the page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Position {
    /// At the end of the lines, at the bottom.
    #[default]
    BottomEnd,
    /// At the start of the lines, at the bottom.
    BottomStart,
    /// At the end of the lines, at the top.
    TopEnd,
    /// At the start of the lines, at the top.
    TopStart,
    /// Over the whole width, at the bottom.
    BottomBar,
    /// In the middle.
    Center,
    /// In the first element that a CSS selector finds.
    Inline(String),
}

impl Position {
    /// Returns the selector of the element that contains the survey, if there is one.
    pub fn slot(&self) -> Option<&str> {
        match self {
            Self::Inline(selector) => Some(selector),
            _ => None,
        }
    }
}

/// The tokens of a theme. An absent token has its value without a theme.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Theme {
    /// Which of the two palettes is used.
    pub scheme: Scheme,
    /// The colours on a light background.
    pub light: Palette,
    /// The colours on a dark background.
    pub dark: Palette,
    /// How round corners are, in hundredths of the text's size: 0 to 300.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub radius: Option<u16>,
    /// The name of a font that the page has: letters, digits, spaces and hyphens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub font: Option<String>,
}

/// Which palette of a theme is used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Scheme {
    /// The one that the visitor's device prefers.
    #[default]
    Auto,
    /// The light one.
    Light,
    /// The dark one.
    Dark,
}

/// The colours of a theme.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Palette {
    /// The background.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub background: Option<Colour>,
    /// Text on the background.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<Colour>,
    /// Chosen values, and buttons.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accent: Option<Colour>,
    /// Text on the accent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_accent: Option<Colour>,
}

/// A colour of sRGB, written `#rrggbb`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colour(pub [u8; 3]);

impl Palette {
    /// Returns the pairs of colours of which one is read on the other, each with the field that sets the first.
    pub fn pairs(&self, default: [Colour; 4]) -> [(&'static str, Colour, Colour); 2] {
        let [background, text, accent, on_accent] = default;
        [
            ("text", self.text.unwrap_or(text), self.background.unwrap_or(background)),
            ("on_accent", self.on_accent.unwrap_or(on_accent), self.accent.unwrap_or(accent)),
        ]
    }

    /// Returns this palette, with another's colours where it has none.
    #[must_use]
    pub fn or(&self, other: &Self) -> Self {
        Self {
            background: self.background.or(other.background),
            text: self.text.or(other.text),
            accent: self.accent.or(other.accent),
            on_accent: self.on_accent.or(other.on_accent),
        }
    }
}

impl Theme {
    /// Returns this theme, with another's tokens where it has none.
    #[must_use]
    pub fn or(&self, other: &Self) -> Self {
        Self {
            scheme: if self.scheme == Scheme::Auto { other.scheme } else { self.scheme },
            light: self.light.or(&other.light),
            dark: self.dark.or(&other.dark),
            radius: self.radius.or(other.radius),
            font: self.font.clone().or_else(|| other.font.clone()),
        }
    }

    /// The colours without a theme, on a light and on a dark background: background, text, accent, and text on
    /// the accent.
    pub const DEFAULT: [[Colour; 4]; 2] = [
        [
            Colour([0xff, 0xff, 0xff]),
            Colour([0x1b, 0x1f, 0x27]),
            Colour([0x1b, 0x3a, 0x8f]),
            Colour([0xff, 0xff, 0xff]),
        ],
        [
            Colour([0x1e, 0x1e, 0x22]),
            Colour([0xf2, 0xf2, 0xf2]),
            Colour([0x9d, 0xb8, 0xff]),
            Colour([0x10, 0x10, 0x14]),
        ],
    ];
}

impl Colour {
    /// Returns the contrast between two colours, 1 to 21.
    ///
    /// Source: WCAG 2.2, definition of contrast ratio.
    pub fn contrast(self, other: Self) -> f64 {
        let (one, other) = (self.luminance(), other.luminance());
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    /// Returns the relative luminance, 0 to 1.
    ///
    /// Source: WCAG 2.2, definition of relative luminance.
    fn luminance(self) -> f64 {
        let [red, green, blue] = self.0.map(|channel| {
            let share = f64::from(channel) / 255.0;
            if share <= 0.04045 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
        });
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

impl Serialize for Colour {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Colour {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digits = text.strip_prefix('#').filter(|digits| {
            digits.len() == 6 && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
        });
        let number = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let [_, red, green, blue] = number
            .ok_or_else(|| serde::de::Error::custom("a colour is written #rrggbb"))?
            .to_be_bytes();
        Ok(Self([red, green, blue]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contrast_is_that_of_wcag() {
        let grey = |level| Colour([level; 3]);
        assert!((grey(0).contrast(grey(255)) - 21.0).abs() < 1e-9);
        // The best known pair at the limit: #767676 on white passes, #777777 does not.
        assert!(grey(0x76).contrast(grey(255)) > LEAST_CONTRAST);
        assert!(grey(0x77).contrast(grey(255)) < LEAST_CONTRAST);
        for palette in Theme::DEFAULT {
            for (field, one, other) in Palette::default().pairs(palette) {
                assert!(one.contrast(other) > LEAST_CONTRAST, "{field}");
            }
        }
    }

    #[test]
    fn a_colour_is_six_digits() {
        let colour: Colour = serde_json::from_str("\"#1F4fd8\"").unwrap();
        assert_eq!(serde_json::to_string(&colour).unwrap(), "\"#1f4fd8\"");
        for other in ["#fff", "1f4fd8", "#1f4fd8ff", "red", "#+f4fd8"] {
            assert!(serde_json::from_str::<Colour>(&format!("\"{other}\"")).is_err(), "{other}");
        }
    }
}
