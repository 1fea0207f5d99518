//! The ids of respondents.

/// The longest respondent's id, in characters.
pub const RESPONDENT_LIMIT: usize = 200;

/// Whether a text can be a respondent's id.
pub fn is_respondent(id: &str) -> bool {
    (1..=RESPONDENT_LIMIT).contains(&id.chars().count())
}
