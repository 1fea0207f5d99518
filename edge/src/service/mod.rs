//! What the Worker does for several routes: it asks the objects and combines their answers.

pub mod caller;
pub mod config;
pub mod corrections;
pub mod directory;
pub mod filter;
pub mod installs;
pub mod overview;
pub mod preview;
pub mod settings;
pub mod shards;
pub mod summary;
pub mod walk;
