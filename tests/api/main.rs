//! The API as programs meet it.

mod assets;
mod collect;
mod durability;
mod routes;
mod summary;
mod surveys;
