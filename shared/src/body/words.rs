//! All words of the widget and the hosted page in one language.

/// All words in one language.
pub struct Words {
    /// The language, as a BCP 47 tag.
    pub language: &'static str,
    /// Whether a native speaker has read them.
    pub reviewed: bool,
    /// [`super::strings::Strings::close`]
    pub close: &'static str,
    /// [`super::strings::Strings::next`]
    pub next: &'static str,
    /// [`super::strings::Strings::send`]
    pub send: &'static str,
    /// [`super::strings::Strings::back`]
    pub back: &'static str,
    /// [`super::strings::Strings::optional`]
    pub optional: &'static str,
    /// [`super::strings::Strings::later`]
    pub later: &'static str,
    /// [`super::strings::Strings::privacy`]
    pub privacy: &'static str,
    /// [`super::strings::Strings::why`]
    pub why: &'static str,
    /// [`super::strings::Strings::progress`]
    pub progress: &'static str,
    /// The message of the hosted page if the form has no score.
    pub required: &'static str,
    /// The message of the hosted page if a text is too long: `{limit}` stands for the number of characters.
    pub too_long: &'static str,
    /// The message of the hosted page if the survey is not asked any more.
    pub closed: &'static str,
}
