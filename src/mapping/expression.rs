//! The small expressions of mappings: names, literals, filters, conditions. No loops, no clock, no reach.

/// An expression, parsed once.
#[derive(Debug, Clone)]
pub struct Expression {
    source: String,
}
