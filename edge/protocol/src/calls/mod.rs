//! The calls of the Worker and its objects to each other: one type for each object, sent as JSON.

pub mod directory;
pub mod site;
pub mod survey;
pub mod team;
