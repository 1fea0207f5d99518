//! The hosted page: a survey as a plain form, for links in mails and for browsers that the widget
//! cannot run in. It works without scripts: in a frame one tells the page around it what is reached.
//!
//! One question is a page, and each page that is sent is a revision of the display. A `GET` records
//! nothing, since links are also opened by those who only look at what a mail links to: the display's
//! id travels in the form, with a token, and the first answer makes the display. Each answer to a `POST`
//! is the next page itself, so that no address holds anything of the visitor.
//!
//! What is shown is the same [`Body`](asklet_shared::body::Body) that the widget shows. A published
//! survey is walked in its object `Survey` (see [`crate::objects`]), a draft in the Worker
//! ([`crate::routes`]).

pub mod answer;
mod html;
pub mod token;
pub mod view;
pub mod visit;
pub mod walk;
