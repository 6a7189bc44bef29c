//! Tables as a picture: [`graph`] says which boxes and lines there are, [`layout`] where they are, and [`mermaid`],
//! [`dot`] and [`svg`] write them down. Nothing here knows of projects or terminals.

pub(crate) mod dot;
pub(crate) mod graph;
pub(crate) mod layout;
pub(crate) mod mermaid;
pub(crate) mod svg;
