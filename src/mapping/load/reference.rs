//! The reference of all keys, for `docs/mapping.md`.

use super::{
    json_schema::slug,
    root::{APP_SHAPE, TENANT_SHAPE},
    shape::{Key, Kind, Shape},
};

/// All tables and keys as Markdown: type, meaning, what absent means, an example.
pub fn markdown() -> String {
    let mut shapes: Vec<&'static Shape> = Vec::new();
    collect(&APP_SHAPE, &mut shapes);
    collect(&TENANT_SHAPE, &mut shapes);
    shapes.iter().map(|shape| section(shape)).collect()
}

/// A shape before those that its keys lead to, each once.
fn collect(shape: &'static Shape, shapes: &mut Vec<&'static Shape>) {
    if shapes.iter().any(|known| std::ptr::eq(*known, shape)) {
        return;
    }
    if let Some(base) = shape.base {
        collect(base, shapes);
    }
    shapes.push(shape);
    for key in shape.keys {
        tables(&key.kind, &mut |inner| collect(inner, shapes));
    }
}

fn tables(kind: &Kind, found: &mut dyn FnMut(&'static Shape)) {
    match kind {
        Kind::Table(shape) | Kind::Tables(shape) => found(shape),
        Kind::Many(kind) | Kind::Named(kind) => tables(kind, found),
        Kind::OneOf(kinds) => kinds.iter().for_each(|kind| tables(kind, found)),
        _ => {}
    }
}

fn section(shape: &Shape) -> String {
    let mut text = format!(
        "<a id=\"{}\"></a>\n\n### {}\n\n{}\n",
        anchor(shape),
        title(shape),
        shape.about
    );
    if let Some(base) = shape.base {
        text.push_str(&format!("\nIt has the keys of {} as well.\n", link(base)));
    }
    if !shape.keys.is_empty() {
        text.push_str("\n| key | value | what it says | absent | example |\n| --- | --- | --- | --- | --- |\n");
        text.extend(shape.keys.iter().map(row));
    }
    text.push('\n');
    text
}

fn row(key: &Key) -> String {
    let example = if key.example.is_empty() {
        String::new()
    } else {
        format!("`{}`", key.example)
    };
    let cells = [
        format!("`{}`", key.name),
        words(&key.kind),
        key.about.to_owned(),
        key.default.to_owned(),
        example,
    ];
    let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
    format!("| {} |\n", cells.join(" | "))
}

/// As [`Kind::words`], with links to tables.
fn words(kind: &Kind) -> String {
    match kind {
        Kind::Table(shape) => format!("a table: {}", link(shape)),
        Kind::Tables(shape) => format!("tables: {}", link(shape)),
        Kind::Many(kind) => format!("a list of {}", words(kind)),
        Kind::Named(kind) => format!("a table of names, each {}", words(kind)),
        Kind::OneOf(kinds) => kinds.iter().map(words).collect::<Vec<_>>().join(", or "),
        kind => kind.words(),
    }
}

/// The name as a heading: with a capital, code as it is.
fn title(shape: &Shape) -> String {
    let mut characters = shape.name.chars();
    match characters.next() {
        Some(first) => first.to_uppercase().chain(characters).collect(),
        None => String::new(),
    }
}

/// A link to a table's heading. The anchor is given in the text, since renderers disagree on headings with signs.
fn link(shape: &Shape) -> String {
    format!("[{}](#{})", shape.name, anchor(shape))
}

fn anchor(shape: &Shape) -> String {
    slug(shape.name)
}
