//! Dimensions: what a summary can be broken down by and filtered on.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// Number of traits that a survey can declare at most.
pub const TRAITS_LIMIT: usize = 5;

/// Number of values of a trait that are counted separately; later ones count as [`OTHER`].
pub const TRAIT_VALUES_LIMIT: usize = 100;

/// The value under which all other values are counted together.
pub const OTHER: &str = "other";

/// The prefix of a trait's key in the name of its dimension.
const TRAIT: &str = "trait.";

/// One dimension. If a display has no value of it, the value is empty.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Dimension {
    /// All displays together.
    All,
    /// The version of the survey.
    Version,
    /// The variant, one of those that the survey declares.
    Variant,
    /// How the survey reached the visitor.
    Channel,
    /// Desktop, tablet or phone.
    Device,
    /// The language that was shown; empty if it is none of the survey's.
    Language,
    /// The country, as two letters of ISO 3166-1.
    Country,
    /// The contact at which the survey is asked, as its version says.
    Touchpoint,
    /// The page's group, one of those that the survey declares, or `other`.
    PageGroup,
    /// A trait that the survey declares.
    Trait(String),
}

impl Dimension {
    /// The dimensions under which each display is counted, besides the traits of its version.
    pub const COUNTED: [Self; 9] = [
        Self::All,
        Self::Version,
        Self::Variant,
        Self::Channel,
        Self::Device,
        Self::Language,
        Self::Country,
        Self::Touchpoint,
        Self::PageGroup,
    ];

    /// Returns the dimension with a name, if a summary can be broken down by it.
    pub fn named(name: &str) -> Option<Self> {
        if let Some(key) = name.strip_prefix(TRAIT) {
            return (!key.is_empty()).then(|| Self::Trait(key.to_owned()));
        }
        let mut known = Self::COUNTED.into_iter().filter(|dimension| *dimension != Self::All);
        known.find(|dimension| dimension.name() == name)
    }

    /// Returns the name by which queries and the store name the dimension; empty for [`Dimension::All`].
    pub fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::All => "",
            Self::Version => "version",
            Self::Variant => "variant",
            Self::Channel => "channel",
            Self::Device => "device",
            Self::Language => "language",
            Self::Country => "country",
            Self::Touchpoint => "touchpoint",
            Self::PageGroup => "page_group",
            Self::Trait(key) => return Cow::Owned(format!("{TRAIT}{key}")),
        })
    }
}

impl From<Dimension> for String {
    fn from(dimension: Dimension) -> Self {
        dimension.name().into_owned()
    }
}

impl TryFrom<String> for Dimension {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        match Self::named(&name) {
            Some(dimension) => Ok(dimension),
            None if name.is_empty() => Ok(Self::All),
            None => Err(format!("there is no dimension {name:?}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dimension_is_known_by_its_name() {
        let all = Dimension::COUNTED.into_iter().chain([Dimension::Trait("plan".to_owned())]);
        for dimension in all {
            let name = String::from(dimension.clone());
            assert_eq!(Dimension::try_from(name), Ok(dimension));
        }
        assert_eq!(Dimension::named(""), None);
        assert_eq!(Dimension::named("trait."), None);
        assert_eq!(Dimension::named("mood"), None);
    }
}
