//! The hosted page: a survey as a plain form, for links in mails and for browsers that cannot run the widget.
//! It works without scripts. In a frame, a script tells the surrounding page what was reached.
//!
//! Each page shows one question, and each form that is sent is a revision of the display. A `GET` records
//! nothing, since some requests only check where a link in a mail leads. So the display's id travels in the
//! form, with a token, and the first answer creates the display. The answer to a `POST` is the next page
//! itself, so no address contains anything about the visitor.
//!
//! The page shows the same [`Body`](asklet_shared::body::Body) as the widget. The object `Survey` serves the
//! pages of a published survey (see [`crate::objects`]), and the Worker those of a draft ([`crate::routes`]).

pub mod answer;
pub mod token;
pub mod view;
pub mod visit;
pub mod walk;
