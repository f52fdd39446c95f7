//! Value tables of the application that no line uses.

use std::sync::Arc;

use crate::{
    diagnostic::{Diagnostic, Diagnostics},
    mapping::{
        look_up,
        model::{LookUp, Mapping},
    },
};

/// Complaints about `[values.NAME]`. Nothing is said where lines could not be read: they may be those that use it.
pub(super) fn check(mapping: &Mapping, is_complete: bool, complaints: &mut Diagnostics) {
    let is_used = |table: &Arc<LookUp>| {
        let mut used = mapping.types.iter().flat_map(look_up::of_type);
        used.any(|one| Arc::ptr_eq(one, table))
    };
    let unused = mapping.look_ups.iter().filter(|table| !is_used(table));
    for table in unused.filter(|_| is_complete) {
        let sentence = format!("No line uses the table `[values.{}]`.", table.name);
        complaints.add(
            Diagnostic::warning("mapping::unused-value-table", sentence)
                .at(&table.place)
                .mend(format!("say `values = \"{}\"` in a line", table.name)),
        );
    }
}
