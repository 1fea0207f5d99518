//! Problems: requests that cannot be served, as problem documents of RFC 9457.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use serde::ser::SerializeStruct;
use serde::{Deserialize, Serialize, Serializer};

/// One problem. It tells the caller what to change, and nothing about internals.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Problem {
    /// The stable name of the problem, which is part of the published API.
    pub code: Code,
    /// A sentence about this case.
    pub detail: Cow<'static, str>,
    /// The path of the field at fault, such as `questions[0].text`.
    #[serde(default)]
    pub field: Option<String>,
    /// The limit that the field broke, such as `0 to 10` or `2000 characters`.
    #[serde(default)]
    pub limit: Option<String>,
    /// The request that it answers, such as `urn:asklet:request:4k2m9c0v7x`, by whose id the log is searched.
    #[serde(default)]
    pub instance: Option<String>,
}

impl Problem {
    /// Makes a problem that does not concern a single field.
    pub fn new(code: Code, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { code, detail: detail.into(), field: None, limit: None, instance: None }
    }

    /// Sets the field at fault.
    #[must_use]
    pub fn at(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// Sets the limit that the field broke.
    #[must_use]
    pub fn limit(mut self, limit: impl Into<String>) -> Self {
        self.limit = Some(limit.into());
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.name(), self.detail)
    }
}

impl Error for Problem {}

impl Serialize for Problem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let fields = 5
            + usize::from(self.field.is_some())
            + usize::from(self.limit.is_some())
            + usize::from(self.instance.is_some());
        let mut document = serializer.serialize_struct("Problem", fields)?;
        document
            .serialize_field("type", &format_args!("urn:asklet:problem:{}", self.code.name()))?;
        document.serialize_field("title", self.code.title())?;
        document.serialize_field("status", &self.code.status())?;
        document.serialize_field("detail", &self.detail)?;
        document.serialize_field("code", self.code.name())?;
        if let Some(field) = &self.field {
            document.serialize_field("field", field)?;
        }
        if let Some(limit) = &self.limit {
            document.serialize_field("limit", limit)?;
        }
        if let Some(instance) = &self.instance {
            document.serialize_field("instance", instance)?;
        }
        document.end()
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $code:ident = $name:literal, $status:literal, $title:literal;)*) => {
        /// The names of the problems. A name never changes its meaning.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        pub enum Code {
            $($(#[$doc])* #[serde(rename = $name)] $code,)*
        }

        impl Code {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$code,)*];

            /// Returns the name as it travels.
            pub fn name(self) -> &'static str {
                match self { $(Self::$code => $name,)* }
            }

            /// Returns the HTTP status of the problem.
            pub fn status(self) -> u16 {
                match self { $(Self::$code => $status,)* }
            }

            /// Returns the kind of the problem, in words.
            pub fn title(self) -> &'static str {
                match self { $(Self::$code => $title,)* }
            }
        }
    };
}

codes! {
    /// The body is not JSON of the right shape.
    MalformedJson = "malformed_json", 400, "The body could not be read";
    /// The body is not UTF-8.
    MalformedUtf8 = "malformed_utf8", 400, "The body is not UTF-8";
    /// No credential, or an unknown one.
    Unauthenticated = "unauthenticated", 401, "A valid key is required";
    /// What was to be changed has been changed since the caller read it.
    ChangedMeanwhile = "changed_meanwhile", 412, "It was changed since it was read";
    /// The key may not do this.
    Forbidden = "forbidden", 403, "This key may not do that";
    /// The scope of the key is smaller than the route needs.
    ScopeTooSmall = "scope_too_small", 403, "The key's scope is too small";
    /// The deployment has no admin token.
    NoAdminToken = "no_admin_token", 403, "This deployment has no admin token";
    /// The page's origin is not one of the site's.
    OriginNotAllowed = "origin_not_allowed", 403, "The site does not list this origin";
    /// The preview has expired.
    PreviewExpired = "preview_expired", 403, "The preview has run out";
    /// This deployment did not make the form.
    ForgedForm = "forged_form", 403, "The form was not handed out here";
    /// The site's team takes no displays of the survey at present, not even those that were shown before.
    IntakeRefused = "intake_refused", 403, "The site's team takes nothing now";
    /// There is no such route.
    NotFound = "not_found", 404, "Not found";
    /// There is no such site.
    UnknownSite = "unknown_site", 404, "There is no such site";
    /// There is no such survey, or it was never live.
    UnknownSurvey = "unknown_survey", 404, "There is no such survey";
    /// The survey has no such shard.
    UnknownShard = "unknown_shard", 404, "The survey has no such shard";
    /// The survey was never published in this version.
    UnknownVersion = "unknown_version", 404, "The survey has no such version";
    /// The survey has no body with this digest.
    UnknownBody = "unknown_body", 404, "The survey has no such body";
    /// This deployment made no such preview.
    UnknownPreview = "unknown_preview", 404, "There is no such preview";
    /// The survey has no display with this id.
    UnknownDisplay = "unknown_display", 404, "There is no such display";
    /// The route exists for another method.
    MethodNotAllowed = "method_not_allowed", 405, "The method is not allowed here";
    /// The body did not arrive in time.
    BodyTimeout = "body_timeout", 408, "The body did not arrive in time";
    /// The same revision of a display was sent with other content before.
    RevisionConflict = "revision_conflict", 409, "This revision has other content already";
    /// A question that has responses cannot get another scale.
    ScaleChanged = "scale_changed", 409, "A scale cannot change once there are responses";
    /// The survey has to be published first.
    NotPublished = "not_published", 409, "The survey was never published";
    /// The site has reached its limit of identity secrets.
    TooManySecrets = "too_many_secrets", 409, "There are too many identity secrets";
    /// The site has reached its limit of keys.
    TooManyKeys = "too_many_keys", 409, "There are too many keys";
    /// The site has reached its limit of surveys.
    TooManySurveys = "too_many_surveys", 409, "There are too many surveys";
    /// The survey has reached its limit of versions.
    TooManyVersions = "too_many_versions", 409, "There are too many versions";
    /// The versions of the survey have reached the limit of different questions.
    TooManyQuestions = "too_many_questions", 409, "There are too many different questions";
    /// All drafts and versions of the site together have reached the limit of their size.
    DefinitionsTooLarge = "definitions_too_large", 409, "The definitions are too large together";
    /// The config of the site's live surveys has reached the limit of its size.
    ConfigTooLarge = "config_too_large", 409, "The config would be too large";
    /// It is the last admin key: without it, nobody in the team could make another one.
    LastAdminKey = "last_admin_key", 409, "A site keeps one admin key at least";
    /// The site has surveys of its own; a bundle is for a site that was made for it.
    SiteInUse = "site_in_use", 409, "The site is in use";
    /// The page of a bundle comes from a deployment with another schema.
    OtherSchema = "other_schema", 409, "The bundle was written by another release";
    /// The site was changed after the bundle of this cursor was begun.
    SiteChanged = "site_changed", 409, "The site has changed since the bundle was begun";
    /// The page of a bundle is not complete.
    BrokenBundle = "broken_bundle", 422, "The page of the bundle is not whole";
    /// The survey ended so long ago that no earlier display can still arrive.
    SurveyClosed = "survey_closed", 410, "The survey is closed";
    /// The body is larger than the route accepts.
    BodyTooLarge = "body_too_large", 413, "The body is too large";
    /// The route does not accept this content type, or this compression.
    UnsupportedMediaType = "unsupported_media_type", 415, "The content type or encoding is not taken";
    /// A header of the request breaks a rule.
    InvalidHeader = "invalid_header", 400, "A header is not valid";
    /// Another request came with this `Idempotency-Key` before.
    IdempotencyMismatch = "idempotency_mismatch", 422, "The key was sent with another request";
    /// The answer to the repeated request holds a secret that is shown only once.
    ShownOnce = "shown_once", 409, "The answer was shown and cannot be shown again";
    /// A parameter of the query breaks a rule.
    InvalidQuery = "invalid_query", 400, "The query is not valid";
    /// The survey has a kind of question that pages do not show.
    NotShown = "not_shown", 422, "Pages cannot show this survey yet";
    /// A definition breaks a rule.
    InvalidDefinition = "invalid_definition", 422, "The definition is not valid";
    /// The directive cannot block the tag.
    UnknownDirective = "unknown_directive", 422, "There is no such directive";
    /// A site's or a survey's settings break a rule.
    InvalidSettings = "invalid_settings", 422, "The settings are not valid";
    /// A display breaks a rule that has no code of its own.
    InvalidDisplay = "invalid_display", 422, "The display is not valid";
    /// An answer to a question that the version does not ask.
    UnknownQuestion = "unknown_question", 422, "The survey has no such question";
    /// An answer to a question whose condition the other answers do not meet.
    QuestionNotAsked = "question_not_asked", 422, "The question was not asked";
    /// A text instead of a score, or a score instead of a text.
    WrongAnswerType = "wrong_answer_type", 422, "The answer is of the wrong type";
    /// A score that the scale does not have.
    ScoreOffScale = "score_off_scale", 422, "The score is off the scale";
    /// An option that the question does not offer.
    ChoiceNotOffered = "choice_not_offered", 422, "The question does not offer that option";
    /// More options than the question accepts.
    TooManyChoices = "too_many_choices", 422, "Too many options were chosen";
    /// A text that is longer than the question accepts.
    TextTooLong = "text_too_long", 422, "The text is too long";
    /// A newer revision with a lower stage than the one before.
    StageLowered = "stage_lowered", 422, "The stage of a display only grows";
    /// A newer revision that names another version than the one before.
    VersionChanged = "version_changed", 422, "A display stays with its version";
    /// A token that cannot be read, or is not signed with HS256.
    IdentityMalformed = "identity_malformed", 422, "The identity token could not be read";
    /// A token that none of the site's identity secrets signed.
    IdentitySignature = "identity_signature", 422, "The identity token is not signed by the site";
    /// A token for another site.
    IdentityAudience = "identity_audience", 422, "The identity token is for another site";
    /// A token that had expired when the survey was shown.
    IdentityExpired = "identity_expired", 422, "The identity token has expired";
    /// A token that is not valid yet.
    IdentityNotYetValid = "identity_not_yet_valid", 422, "The identity token does not hold yet";
    /// A token that is valid for longer than the site allows.
    IdentityLifetime = "identity_lifetime", 422, "The identity token holds for too long";
    /// Traits without a token, at a site that requires one.
    IdentityRequired = "identity_required", 422, "The site requires an identity token";
    /// More requests than the site accepts at once.
    RateLimited = "rate_limited", 429, "Too many requests";
    /// Something broke on our side.
    Internal = "internal", 500, "Something went wrong on the server";
    /// More requests than can be looked up at once, or the site is still being moved here.
    Busy = "busy", 503, "It cannot be answered now";
    /// The data was written by a newer release.
    NewerSchema = "newer_schema", 503, "The data was written by a newer release";
    /// The survey keeps as much as its site's settings allow.
    SurveyFull = "survey_full", 507, "The survey is full";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_a_problem_document() {
        let problem = Problem::new(Code::ScoreOffScale, "11 is not on the scale")
            .at("answers.score")
            .limit("0 to 10");
        let document = serde_json::to_value(&problem).unwrap();
        assert_eq!(
            document,
            serde_json::json!({
                "type": "urn:asklet:problem:score_off_scale",
                "title": "The score is off the scale",
                "status": 422,
                "detail": "11 is not on the scale",
                "code": "score_off_scale",
                "field": "answers.score",
                "limit": "0 to 10",
            })
        );
        assert_eq!(serde_json::from_value::<Problem>(document).unwrap(), problem);
    }
}
