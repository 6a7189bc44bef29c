//! `limbeck init`
pub(crate) fn run(_: &crate::args::Init, _: Option<&str>) -> crate::Outcome { Ok(0) }
