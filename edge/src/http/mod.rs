//! HTTP: answers, the bodies of requests, the files that pages download, and the check of who may call.

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
