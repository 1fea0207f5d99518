//! The migration of a shard from one deployment to another, as its object carries it out.

use asklet_protocol::bundle::Head;
use asklet_protocol::failure::Failure;
use asklet_store::shard::migration::{dump, forget_policy, load};
use asklet_store::shard::record::Recorded;
use asklet_store::sql::Sql;

use crate::objects::survey::Shard;

impl Shard {
    /// Reads a page of the shard.
    pub(super) fn dump(&self, from: Head, following: Option<String>) -> Result<String, Failure> {
        dump(&self.sql, self.woken_ms, from, following)
    }

    /// Forgets the policy, because the site moves to this deployment. Until the site sends the policy again,
    /// the shard asks the site before it takes anything. The site sends it once all pages have arrived.
    pub(super) fn start_migration(&self) -> Result<(), Failure> {
        self.policy.borrow_mut().take();
        self.negative_cache.borrow_mut().clear();
        forget_policy(&self.sql)
    }

    /// Stores a page of the shard.
    pub(super) async fn load(&self, page: &str) -> Result<u64, Failure> {
        self.wake_up(true)?;
        let rows = load(&self.sql, page)?;
        self.tail_length.set(None);
        self.capacity.forget();
        self.published.borrow_mut().clear();
        self.policy.borrow_mut().take();
        self.negative_cache.borrow_mut().clear();
        if self.sql.first("SELECT 1 FROM folded", &[])?.is_some() {
            self.after(Recorded::New).await?;
        }
        Ok(rows)
    }
}
