//! Which shard a public request was forwarded to.

use asklet_protocol::calls::site::{Publication, SiteCall};
use asklet_protocol::failure::Failure;

use crate::platform::trace::Context;
use crate::platform::{deployment, rpc, stubs};

/// Which shard of which survey a request was forwarded to, as its address says.
pub struct Address {
    pub context: Context,
    pub site: String,
    pub survey: String,
    pub shard: u16,
}

impl Address {
    /// The site and the survey.
    pub fn names(&self) -> (&str, &str) {
        (&self.site, &self.survey)
    }

    /// Asks the site for a version that this shard lacks, or for the latest.
    pub async fn pull(&self, version: Option<u32>) -> Result<Publication, Failure> {
        let seal = deployment::seal(&self.context)?;
        let site = seal.known_site(&self.site)?;
        let survey = seal.known_survey(&site, &self.survey)?;
        let call = SiteCall::Published { survey, version, shard: self.shard };
        rpc::call(&stubs::site(&self.context, &site)?, &call).await
    }
}
