//! The rules of the appearance: positions and themes.

use super::checks::{invalid, plain, range};
use crate::definition::appearance::{LEAST_CONTRAST, Palette, Position, Theme};
use crate::problem::{Code, Problem};

/// Checks the position of a survey.
pub(super) fn position(position: &Position) -> Result<(), Problem> {
    match position {
        Position::Inline(selector) => plain("appearance.position.inline", selector, 200),
        _ => Ok(()),
    }
}

/// Checks a theme: nothing in it can act as a style rule, and no text is unreadable.
pub fn theme(path: &str, theme: &Theme) -> Result<(), Problem> {
    if let Some(radius) = theme.radius {
        range(&format!("{path}.radius"), radius, 0, 300)?;
    }
    if let Some(font) = &theme.font {
        let path = format!("{path}.font");
        plain(&path, font, 50)?;
        if !font.chars().all(|c| c.is_alphanumeric() || c == ' ' || c == '-') {
            return invalid(
                &path,
                "a font's name may have only letters, digits, spaces and hyphens",
            );
        }
    }
    let [light, dark] = Theme::DEFAULT;
    for (name, palette, default) in [("light", &theme.light, light), ("dark", &theme.dark, dark)] {
        check_contrast(&format!("{path}.{name}"), palette, default)?;
    }
    Ok(())
}

fn check_contrast(
    path: &str,
    palette: &Palette,
    default: [crate::definition::appearance::Colour; 4],
) -> Result<(), Problem> {
    for (field, text, ground) in palette.pairs(default) {
        let contrast = text.contrast(ground);
        if contrast < LEAST_CONTRAST {
            let detail = format!("{text} on {ground} has a contrast of {contrast:.2} to 1");
            return Err(Problem::new(Code::InvalidDefinition, detail)
                .at(format!("{path}.{field}"))
                .limit(format!("at least {LEAST_CONTRAST} to 1")));
        }
    }
    Ok(())
}
