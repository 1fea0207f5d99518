//! The address of the shard to which a public request was forwarded.

use asklet_protocol::calls::site::{Publication, SiteCall};
use asklet_protocol::failure::Failure;

use crate::platform::trace::Context;
use crate::platform::{deployment, rpc, stubs};

/// The shard and the survey to which a request was forwarded, as its path says.
pub struct Address {
    pub context: Context,
    pub site: String,
    pub survey: String,
    pub shard: u16,
}

impl Address {
    /// Returns the ids of the site and the survey.
    pub fn names(&self) -> (&str, &str) {
        (&self.site, &self.survey)
    }

    /// Pulls from the site a version that this shard lacks, or the latest version.
    pub async fn pull(&self, version: Option<u32>) -> Result<Publication, Failure> {
        let seal = deployment::seal(&self.context)?;
        let site = seal.known_site(&self.site)?;
        let survey = seal.known_survey(&site, &self.survey)?;
        let call = SiteCall::Published { survey, version, shard: self.shard };
        rpc::call(&stubs::site(&self.context, &site)?, &call).await
    }
}
