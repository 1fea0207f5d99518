//! Where the tag of a site ran, and what blocked it.

use serde::{Deserialize, Serialize};

use crate::names::names;

names! {
    /// A directive of a Content-Security-Policy that can block the tag.
    Directive {
        /// Scripts, and the compilation of WebAssembly.
        Script = "script-src",
        /// Scripts alone.
        ScriptElement = "script-src-elem",
        /// What scripts fetch and send.
        Connect = "connect-src",
        /// Frames, in which the hosted page shows if WebAssembly is blocked.
        Frame = "frame-src",
        /// Frames and workers.
        Child = "child-src",
        /// Everything that has no directive of its own.
        Default = "default-src",
        /// The requirement that scripts do not write markup from plain text.
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
    /// Whether the site's settings list the origin. Pages of an unlisted origin show no surveys.
    pub listed: bool,
    /// The day in UTC on which the tag first ran there, such as `2026-11-01`.
    pub first_seen: String,
    /// The day in UTC on which the tag last ran there.
    pub last_seen: String,
    /// What blocked the tag there.
    pub problems: Vec<InstallProblem>,
}

/// Something that blocked the tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct InstallProblem {
    /// The directive that blocked it.
    pub directive: Directive,
    /// The day in UTC on which the directive last did so.
    pub last_seen: String,
}

/// The origins on whose pages the tag ran.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Installs {
    /// The installs, sorted by origin.
    pub installs: Vec<Install>,
}
