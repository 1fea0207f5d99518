//! HTTP: answers and the bodies of requests, the files that pages download, and who may call at all.

pub mod address;
pub mod asset;
pub mod auth;
pub mod body;
pub mod checks;
pub mod gzip;
pub mod problems;
pub mod promise;
pub mod respond;
pub mod sign_in;
pub mod url;
