//! A tenant's file on top of its application's file.

use super::tree::{Content, Entry, Node, Table};

/// Puts the tenant's lines over the application's: table by table, line by line. Every value keeps its own place.
///
/// Lists replace, an attribute line replaces, `false` takes away what the application's file says, and a choice
/// (`[….page.…]`, `[target.auth.…]`) replaces another choice.
pub(super) fn layer(app: Table, tenant: Table) -> Table {
    let mut merged = app;
    if merged.name.is_empty() {
        merged.name.clone_from(&tenant.name);
    }
    for entry in tenant.entries {
        place_over(&mut merged, entry);
    }
    merged
}

fn place_over(below: &mut Table, entry: Entry) {
    let table_name = below.name.clone();
    let Some(existing) = below.entries.iter_mut().find(|e| e.key == entry.key) else {
        below.entries.push(entry);
        return;
    };
    let removes = entry.node.is_false() && !matches!(existing.node.content, Content::Flag(_));
    if removes {
        let key = entry.key;
        below.entries.retain(|e| e.key != key);
        return;
    }
    existing.place = entry.place;
    merge_node(&mut existing.node, entry.node, &table_name, &entry.key);
}

fn merge_node(below: &mut Node, above: Node, table: &str, key: &str) {
    let is_line = table.ends_with(".attributes");
    if !is_line && !is_other_choice(below, &above, table, key) {
        let call_below = as_call(below);
        if let (Content::Table(lower), Content::Table(upper)) =
            (&mut below.content, above.content.clone())
        {
            let merged = layer(std::mem::take(lower), upper);
            below.content = Content::Table(merged);
            below.place = above.place;
            return;
        }
        // `update = "PUT /x"` in the application's file and `[user.update]` with further keys above it.
        if let (Some(lower), Content::Table(upper)) = (call_below, above.content.clone()) {
            below.content = Content::Table(layer(lower, upper));
            below.place = above.place;
            return;
        }
        // The other way round: the tenant names another call, the rest stays.
        if let (Content::Table(lower), Content::Text(_)) = (&mut below.content, &above.content)
            && lower.entry("call").is_some()
        {
            let call = Entry {
                key: "call".to_owned(),
                place: above.place.clone(),
                node: above,
            };
            place_over(lower, call);
            return;
        }
    }
    *below = above;
}

/// Whether both tables hold one choice out of several, and not the same.
fn is_other_choice(below: &Node, above: &Node, table: &str, key: &str) -> bool {
    let is_choice = key == "page" || (table == "target" && key == "auth");
    let (Some(lower), Some(upper)) = (below.as_table(), above.as_table()) else {
        return is_choice;
    };
    is_choice
        && !upper
            .entries
            .iter()
            .any(|entry| lower.entry(&entry.key).is_some())
}

/// A call line as the table it stands for.
fn as_call(node: &Node) -> Option<Table> {
    let text = node.as_text()?;
    let (method, path) = text.split_once(' ')?;
    (path.starts_with('/') && method.chars().all(|c| c.is_ascii_uppercase())).then(|| Table {
        name: String::new(),
        entries: vec![Entry {
            key: "call".to_owned(),
            place: node.place.clone(),
            node: node.clone(),
        }],
    })
}
