//! Where the tag of a site was seen, and what stood in its way.

use serde::{Deserialize, Serialize};

use crate::names::names;

names! {
    /// A directive of a Content-Security-Policy that can stand in the way of the tag.
    Directive {
        /// Scripts, and the compiling of WebAssembly.
        Script = "script-src",
        /// Scripts alone.
        ScriptElement = "script-src-elem",
        /// What scripts fetch and send.
        Connect = "connect-src",
        /// Frames, in which the hosted page shows where WebAssembly is refused.
        Frame = "frame-src",
        /// Frames and workers.
        Child = "child-src",
        /// Whatever has no directive of its own.
        Default = "default-src",
        /// The demand that scripts write no markup of plain text.
        RequireTrustedTypes = "require-trusted-types-for",
        /// The policies that may make trusted markup.
        TrustedTypes = "trusted-types",
    }
}

/// An origin on whose pages the tag ran.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Install {
    /// The origin.
    pub origin: String,
    /// Whether the site's settings list it. Pages of one that is not listed ask nothing.
    pub listed: bool,
    /// The day in UTC on which the tag was first seen there, such as `2026-11-01`.
    pub first_seen: String,
    /// The day on which it was last seen.
    pub last_seen: String,
    /// What stands in its way.
    pub problems: Vec<InstallProblem>,
}

/// What stands in the way of the tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct InstallProblem {
    /// The directive that forbade something.
    pub directive: Directive,
    /// The day in UTC on which it last did.
    pub last_seen: String,
}

/// The origins on whose pages the tag ran.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Installs {
    /// By their names.
    pub installs: Vec<Install>,
}
