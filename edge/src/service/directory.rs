//! The list of sites.

use asklet_protocol::calls::directory::DirectoryCall;
use asklet_protocol::calls::site::SiteCall;
use asklet_protocol::failure::Failure;
use asklet_protocol::ids::SiteId;
use asklet_shared::problem::Code;

use crate::platform::trace::Context;
use crate::platform::{rpc, stubs};

/// Removes a site with everything in it, and then its entry in the list.
pub async fn delete_site(env: &Context, site: &SiteId) -> Result<(), Failure> {
    let call = SiteCall::Delete { site: site.clone() };
    match rpc::call::<()>(&stubs::site(env, site)?, &call).await {
        Ok(()) => {}
        // The site is deleted already, or was never made. Then only the list knows it.
        Err(Failure::Problem(problem)) if problem.code == Code::UnknownSite => {}
        Err(failure) => return Err(failure),
    }
    rpc::call::<()>(&stubs::directory(env)?, &DirectoryCall::Remove(site.clone())).await
}
