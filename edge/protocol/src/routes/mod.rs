//! The routes of the Worker: what each method and path means, and who may call it. Ids are texts here, because
//! their seals are not checked yet.

mod access;
mod route;
mod table;

pub use access::Access;
pub use route::{
    ForwardedRoute, OperatorRoute, PublicRoute, Route, SurveyRoute, TeamRequest, TeamRoute,
};
pub use table::{ENDPOINTS, Endpoint, Found, PREFLIGHT, find, not_found};
