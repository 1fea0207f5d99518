//! What a shard knows of its survey: versions and the policy, from memory, from its store, or pulled from the
//! site.

use std::rc::Rc;

use asklet_protocol::calls::site::Publication;
use asklet_protocol::failure::Failure;
use asklet_protocol::policy::Policy;
use asklet_shared::definition::Published;
use asklet_shared::problem::{Code, Problem};
use asklet_store::shard::{rollup, storage, versions};
use worker::Date;

use crate::objects::survey::address::Address;
use crate::objects::survey::{KIND, Shard};
use crate::platform::trace::Trace;
use crate::platform::{deployment, log};

impl Shard {
    /// Returns the version that a display names: from memory, from the store, or pulled from the site.
    pub(super) async fn published(
        &self,
        address: &Address,
        version: u32,
    ) -> Result<Rc<Published>, Failure> {
        if let Some(published) = self.published.borrow().get(&version) {
            return Ok(published.clone());
        }
        if self.wake()?
            && let Some(published) = versions::find(&self.sql, version)?
        {
            return Ok(self.remember(published));
        }
        self.pull(address, Some(version)).await
    }

    /// Returns the latest version. It is pulled from the site if this shard has none.
    pub(super) async fn latest(&self, address: &Address) -> Result<Rc<Published>, Failure> {
        let known = if self.wake()? { versions::latest(&self.sql)? } else { None };
        match known {
            Some(version) => self.published(address, version).await,
            None => self.pull(address, None).await,
        }
    }

    /// Pulls a version, or the latest, from the site, unless the site refused it a moment ago. A latest version
    /// that the site gave a moment ago is not pulled again either.
    pub(super) async fn pull(
        &self,
        address: &Address,
        version: Option<u32>,
    ) -> Result<Rc<Published>, Failure> {
        let now_ms = Date::now().as_millis();
        self.negative_cache.borrow_mut().pass(version, now_ms)?;
        match address.pull(version).await {
            Ok(publication) => {
                let kept = self.keep(publication)?;
                if version.is_none() {
                    // So requests for further digests that do not exist do not reach the site.
                    let unknown = Problem::new(Code::UnknownBody, "the survey has no such body");
                    self.negative_cache.borrow_mut().add(version, unknown, now_ms);
                }
                Ok(kept)
            }
            Err(Failure::Problem(problem)) => {
                self.negative_cache.borrow_mut().add(version, problem.clone(), now_ms);
                Err(problem.into())
            }
            Err(broken) => Err(broken),
        }
    }

    /// Returns the policy, if this shard knows it.
    pub(super) fn known_policy(&self) -> Result<Option<Rc<Policy>>, Failure> {
        if let Some(policy) = &*self.policy.borrow() {
            return Ok(Some(policy.clone()));
        }
        let mut found = if self.wake()? { versions::find_policy(&self.sql)? } else { None };
        if let Some(policy) = &mut found
            && !policy.identity_secrets.is_empty()
        {
            let vault = deployment::vault(&self.env)?;
            policy.identity_secrets.retain_mut(|secret| match vault.open(secret) {
                Ok(open) => {
                    *secret = open;
                    true
                }
                // Tokens of this secret are refused, but no answer is.
                Err(failure) => {
                    log::warn(&Trace::new(KIND), &failure.log_text());
                    false
                }
            });
        }
        let found = found.map(Rc::new);
        self.policy.borrow_mut().clone_from(&found);
        Ok(found)
    }

    /// Returns the policy. It is pulled from the site if this shard has none.
    pub(super) async fn policy(&self, address: &Address) -> Result<Rc<Policy>, Failure> {
        if let Some(known) = self.known_policy()? {
            return Ok(known);
        }
        self.pull(address, None).await?;
        let policy = self.known_policy()?;
        policy.ok_or_else(|| Failure::broken("a site sent no policy"))
    }

    /// Stores a publication of the site. The first one sets the object up.
    pub(super) fn keep(
        &self,
        Publication { published, policy }: Publication,
    ) -> Result<Rc<Published>, Failure> {
        check_survives(&policy, self.forgotten.get())?;
        self.wake_up(true)?;
        versions::keep(&self.sql, &published, &policy)?;
        self.policy.borrow_mut().take();
        self.capacity.forget();
        self.negative_cache.borrow_mut().clear();
        Ok(self.remember(published))
    }

    fn remember(&self, published: Published) -> Rc<Published> {
        let published = Rc::new(published);
        self.published.borrow_mut().insert(published.version, published.clone());
        published
    }

    /// Brings the store up to date. Returns `false`, and creates nothing, if nothing was ever stored.
    pub(super) fn wake(&self) -> Result<bool, Failure> {
        self.wake_up(false)
    }

    /// Brings the store up to date. Creates it first if it does not exist and `set_up` says so.
    pub(super) fn wake_up(&self, set_up: bool) -> Result<bool, Failure> {
        let was_awake = self.schema.is_awake();
        let is_set_up = self.schema.wake(&self.sql, set_up)?;
        if is_set_up && !was_awake {
            let prepared = storage::seal_earlier(&self.sql)
                .and_then(|()| rollup::recount_if_needed(&self.sql));
            if prepared.is_err() {
                // The next call tries again, and reads nothing before it has succeeded.
                self.schema.forget();
            }
            prepared?;
            self.measure();
        }
        Ok(is_set_up)
    }
}

/// Refuses a publication that the site sent before it deleted the survey and that arrives after the deletion,
/// so that the shard is not set up again. `forgotten` is the number of the deletion, or 0 if there was none.
fn check_survives(policy: &Policy, forgotten: u64) -> Result<(), Problem> {
    if policy.revision < forgotten {
        return Err(Problem::new(Code::UnknownSurvey, "the survey was deleted"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_told_before_a_survey_was_deleted_is_not_kept_after_that() {
        let policy = |revision| Policy { revision, ..Policy::default() };
        check_survives(&policy(4), 0).unwrap();
        assert_eq!(check_survives(&policy(4), 5).unwrap_err().code, Code::UnknownSurvey);
        check_survives(&policy(6), 5).unwrap();
    }
}
