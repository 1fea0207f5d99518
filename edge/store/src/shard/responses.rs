//! Displays as a team reads them.

use asklet_protocol::responses::{Excluded, RemovalReason, Removed, Response, ResponseChange};

use super::stored::{DELETED, ERASED, Stored};

/// Returns a display as a team reads it. The caller fills in the survey, the shard and the category.
pub fn response(display: Stored) -> Response {
    let context = display.context;
    let personal = display.personal.unwrap_or_default();
    Response {
        id: display.id,
        survey: String::new(),
        shard: 0,
        seq: display.seq,
        revision: display.revision,
        version: context.version,
        shown_ms: display.shown_ms,
        received_ms: display.received_ms,
        stage: display.stage,
        dismissed: display.dismissed,
        channel: context.channel,
        language: context.language,
        country: context.country,
        device: context.device,
        page: context.page,
        page_group: context.page_group,
        touchpoint: context.touchpoint,
        variant: context.variant,
        answers: display.answers,
        category: None,
        respondent: display.respondent,
        traits: personal.traits,
        verified: personal.verified,
        identity_refused: personal.identity_refused,
        excluded: display.excluded.map(|reason| Excluded { reason }),
    }
}

/// Returns the change of a display, as readers receive it.
pub fn change(display: Stored) -> ResponseChange {
    let gone = match display.excluded.as_deref() {
        Some(ERASED) => RemovalReason::Erased,
        Some(DELETED) => RemovalReason::Deleted,
        _ if display.answers.0.is_empty() => RemovalReason::Withdrawn,
        _ => return ResponseChange::Response(Box::new(response(display))),
    };
    ResponseChange::Removed(Removed { id: display.id, shard: 0, seq: display.seq, gone })
}
