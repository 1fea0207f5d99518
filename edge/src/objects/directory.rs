//! The object `Directory`: one for the deployment. It knows which sites exist, for the operator. No request of
//! a visitor or a team reads it.

use asklet_protocol::calls::directory::{DirectoryCall, SiteEntry};
use asklet_protocol::failure::Failure;
use asklet_protocol::ids::SiteId;
use asklet_store::sql::Sql;
use asklet_store::sql::migrate::{Migrations, Schema};
use worker::{DurableObject, Env, Request, Response, State, durable_object};

use crate::http::respond;
use crate::platform::sql::Object;
use crate::platform::{log, metrics, rpc};

const MIGRATIONS: Migrations = &[&["CREATE TABLE site (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    created_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID"]];

/// The name of the object in logs and metrics.
const KIND: &str = "directory";

/// All sites.
#[durable_object]
pub struct Directory {
    sql: Object,
    schema: Schema,
    env: Env,
}

impl DurableObject for Directory {
    fn new(state: State, env: Env) -> Self {
        metrics::woke(KIND);
        log::configure(&env);
        Self { sql: Object::of(&state), schema: Schema::new(MIGRATIONS), env }
    }

    async fn fetch(&self, request: Request) -> worker::Result<Response> {
        let trace = rpc::trace(&request, KIND)?;
        respond::finish(&trace, self.serve(request).await)
    }
}

impl Directory {
    async fn serve(&self, mut request: Request) -> Result<Response, Failure> {
        let call = rpc::read(&mut request, &self.env).await?;
        self.schema.wake(&self.sql, true)?;
        match call {
            DirectoryCall::Add(site) => rpc::answer(&add(&self.sql, &site)?),
            DirectoryCall::Remove(site) => rpc::answer(&remove(&self.sql, &site)?),
            DirectoryCall::List { after, limit } => rpc::answer(&list(&self.sql, &after, limit)?),
        }
    }
}

fn add(sql: &impl Sql, site: &SiteEntry) -> Result<(), Failure> {
    sql.run(
        "REPLACE INTO site (id, name, created_ms) VALUES (?, ?, ?)",
        &[site.site.as_str().into(), site.name.as_str().into(), site.created_ms.into()],
    )
}

fn remove(sql: &impl Sql, site: &SiteId) -> Result<(), Failure> {
    sql.run("DELETE FROM site WHERE id = ?", &[site.as_str().into()])
}

fn list(sql: &impl Sql, after: &str, limit: u32) -> Result<Vec<SiteEntry>, Failure> {
    let mut sites = Vec::new();
    sql.query(
        "SELECT id, name, created_ms FROM site WHERE id > ? ORDER BY id LIMIT ?",
        &[after.into(), limit.into()],
        &mut |mut row| {
            sites.push(SiteEntry {
                site: SiteId::stored(row.text()?),
                name: row.text()?,
                created_ms: row.integer()?,
            });
            Ok(())
        },
    )?;
    Ok(sites)
}
