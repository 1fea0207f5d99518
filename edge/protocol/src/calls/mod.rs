//! What the Worker and its objects ask each other: a type for each object, sent as JSON.

pub mod directory;
pub mod site;
pub mod survey;
pub mod team;
