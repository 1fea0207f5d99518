//! The API as programs meet it.

mod assets;
mod collect;
mod durability;
mod limits;
mod people;
mod routes;
mod sites;
mod summary;
mod surveys;
