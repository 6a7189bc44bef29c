//! What a reviewer would say every time, said by the tool.
//!
//! * [`models`]: rules over compiled models, with codes `L…`.
//! * [`Policy`]: which rules are asked of which files, and how strictly.

mod glob;
pub mod models;
mod policy;

pub use policy::{Override, Policy, Severity};
