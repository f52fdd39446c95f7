//! Single values on their way between SCIM and a field.
//!
//! In: a value with its form, its value table and the attribute's definition. Out: the same value in the other world's
//! spelling. Knows nothing of resources, objects or places.

pub mod time;
