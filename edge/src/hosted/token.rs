//! The token of a form, which says to which display the form belongs. The display's id is made here, but
//! nothing is stored before the first answer. So the token proves that the id was made here.

use asklet_protocol::failure::Failure;
use asklet_protocol::seal::{self, Seal};
use asklet_shared::display_id::DisplayId;

/// The content of a form's token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// The version of the survey.
    pub version: u32,
    /// The language in which the survey is shown.
    pub language: String,
    /// The id of the display.
    pub id: DisplayId,
}

impl Token {
    /// Makes the token of a display that begins now.
    pub fn new(version: u32, language: &str, now_ms: u64) -> Result<Self, Failure> {
        let mut random = [0; 10];
        getrandom::fill(&mut random)?;
        Ok(Self { version, language: language.to_owned(), id: DisplayId::new(now_ms, random) })
    }

    /// Writes the token as the form of a survey carries it.
    pub fn write(&self, seal: &Seal, (site, survey): (&str, &str)) -> String {
        let Self { version, language, id } = self;
        let (version, id) = (version.to_string(), id.to_string());
        // Displays of the hosted page are all on the first shard.
        let mac = seal.token(&["form", site, survey, "0", &version, language, &id]);
        format!("{version}.{language}.{id}.{mac}")
    }

    /// Reads what [`Token::write`] wrote for the same survey. Returns `None` for any other text.
    pub fn read(text: &str, seal: &Seal, survey: (&str, &str)) -> Option<Self> {
        let mut parts = text.split('.');
        let version = parts.next()?.parse().ok()?;
        let language = parts.next()?.to_owned();
        let token = Self { version, language, id: parts.next()?.parse().ok()? };
        seal::same(&token.write(seal, survey), text).then_some(token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_of_one_survey_and_cannot_be_changed() {
        let seal = Seal::new("a secret of the tests, long enough").unwrap();
        let survey = ("any-1", "2");
        let token = Token::new(7, "de-AT", 1_700_000_000_000).unwrap();
        let text = token.write(&seal, survey);
        assert_eq!(Token::read(&text, &seal, survey), Some(token));
        assert_eq!(Token::read(&text, &seal, ("any-1", "3")), None);
        assert_eq!(Token::read(&text, &seal, ("any-12", "")), None);
        for (from, to) in [("7.", "8."), ("7.", "07."), ("de-AT", "de"), ("018", "019")] {
            let forged = text.replacen(from, to, 1);
            assert_ne!(forged, text);
            assert_eq!(Token::read(&forged, &seal, survey), None, "{forged}");
        }
        for made_up in ["", "...", "7.de-AT", &text.to_uppercase(), &format!("{text}.x")] {
            assert_eq!(Token::read(made_up, &seal, survey), None, "{made_up}");
        }
    }
}
