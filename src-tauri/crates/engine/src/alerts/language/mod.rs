//! The text of a condition: from characters to a checked expression.

mod check;
mod error;
mod lexer;
mod parse;
mod quantity;

pub(super) use check::{Field, bare_limit, condition, is_share, subject_text};
pub use error::RuleError;
pub(super) use error::{Fault, closest, is_unseen};
pub(super) use lexer::Op;
pub(super) use parse::single_value;
pub(super) use quantity::{duration_text, parse_duration};
