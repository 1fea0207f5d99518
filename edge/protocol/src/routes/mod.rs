//! The routes of the Worker: which method and path mean what, and who may call each. Ids are texts here:
//! nobody has checked their seals yet.

mod access;
mod route;
mod table;

pub use access::Access;
pub use route::{
    ForwardedRoute, OperatorRoute, PublicRoute, Route, SurveyRoute, TeamRequest, TeamRoute,
};
pub use table::{ENDPOINTS, Endpoint, Found, PREFLIGHT, find};
