//! The three Durable Objects. Each keeps its own SQLite database.

mod directory;
mod site;
mod survey;
