//! The part of a survey's look that differs from the common style sheet, as a style sheet of its own. It is
//! written only from typed tokens, so nothing that an owner wrote can become a rule.

use crate::definition::appearance::{Colour, Palette, Position, Scheme, Theme};

/// Writes the rules of a theme and a position, to be applied after the common ones.
pub(super) fn style(theme: &Theme, position: &Position, right_to_left: bool) -> String {
    let [light, dark] = Theme::DEFAULT;
    let mut rules = match theme.scheme {
        Scheme::Auto => {
            coloured(" and (prefers-color-scheme:light)", &colours(&theme.light))
                + &coloured(" and (prefers-color-scheme:dark)", &colours(&theme.dark))
        }
        Scheme::Light => {
            coloured("", &("color-scheme:light;".to_owned() + &all_colours(&theme.light, light)))
        }
        Scheme::Dark => {
            coloured("", &("color-scheme:dark;".to_owned() + &all_colours(&theme.dark, dark)))
        }
    };
    if let Some(radius) = theme.radius {
        rules += &format!(".panel{{--radius:{}.{:02}em}}", radius / 100, radius % 100);
    }
    if let Some(font) = &theme.font {
        rules += &format!(".panel{{font-family:\"{font}\",system-ui,sans-serif}}");
    }
    rules + place(position, right_to_left)
}

/// Writes a rule of colours. It does not apply if the visitor has chosen colours for all pages.
fn coloured(condition: &str, declarations: &str) -> String {
    if declarations.is_empty() {
        return String::new();
    }
    format!("@media (forced-colors:none){condition}{{.panel{{{declarations}}}}}")
}

/// Writes the colours that a palette sets.
fn colours(palette: &Palette) -> String {
    let named = [
        ("ground", palette.background),
        ("text", palette.text),
        ("accent", palette.accent),
        ("on-accent", palette.on_accent),
    ];
    let set = named.into_iter().filter_map(|(name, colour)| Some(format!("--{name}:{};", colour?)));
    set.collect()
}

/// Writes all colours of a palette, with the default ones where it sets none.
fn all_colours(palette: &Palette, default: [Colour; 4]) -> String {
    let [background, text, accent, on_accent] = default.map(Some);
    colours(&palette.or(&Palette { background, text, accent, on_accent }))
}

/// Writes the rule for the place of the survey's element. In a language that is written from right to left, the
/// start and the end of the lines change sides.
fn place(position: &Position, right_to_left: bool) -> &'static str {
    match (position, right_to_left) {
        // The common style sheet has this place already.
        (Position::BottomEnd, false) | (Position::BottomStart, true) => "",
        (Position::BottomStart, false) | (Position::BottomEnd, true) => {
            ":host{inset:auto auto 0 0!important}"
        }
        (Position::TopEnd, false) | (Position::TopStart, true) => {
            ":host{inset:0 0 auto auto!important}"
        }
        (Position::TopStart, false) | (Position::TopEnd, true) => {
            ":host{inset:0 auto auto 0!important}"
        }
        (Position::BottomBar, _) => {
            ":host{inline-size:100%!important;padding:0!important}\
             .panel{border-width:1px 0 0;border-radius:0;\
             padding-inline:max(1em,50% - 20em)}"
        }
        (Position::Center, _) => {
            ":host{inset:0!important;margin:auto!important;block-size:fit-content!important}"
        }
        (Position::Inline(_), _) => {
            ":host{position:static!important;inline-size:auto!important;padding:0!important}\
             .panel{max-block-size:none;box-shadow:none;animation:none}"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_survey_without_tokens_needs_no_rules() {
        assert_eq!(style(&Theme::default(), &Position::BottomEnd, false), "");
    }

    #[test]
    fn tokens_become_declarations() {
        let accent = Some(Colour([0xb0, 0x00, 0x20]));
        let palette = Palette { accent, ..Palette::default() };
        let theme = Theme {
            light: palette.clone(),
            radius: Some(25),
            font: Some("Inter".to_owned()),
            ..Theme::default()
        };
        assert_eq!(
            style(&theme, &Position::BottomEnd, false),
            "@media (forced-colors:none) and (prefers-color-scheme:light){.panel{--accent:#b00020;}}\
             .panel{--radius:0.25em}.panel{font-family:\"Inter\",system-ui,sans-serif}"
        );
        let theme = Theme { scheme: Scheme::Dark, dark: palette, ..Theme::default() };
        assert_eq!(
            style(&theme, &Position::BottomEnd, false),
            "@media (forced-colors:none){.panel{color-scheme:dark;--ground:#1e1e22;--text:#f2f2f2;\
             --accent:#b00020;--on-accent:#101014;}}"
        );
    }

    #[test]
    fn the_end_of_the_lines_is_left_in_a_right_to_left_language() {
        let of = |position, right_to_left| style(&Theme::default(), &position, right_to_left);
        assert_eq!(of(Position::BottomEnd, true), of(Position::BottomStart, false));
        assert_eq!(of(Position::TopEnd, true), of(Position::TopStart, false));
    }
}
