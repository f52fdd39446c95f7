//! The fields of a row that are read at all, each by a number.

use super::{Odd, scan::Members};

/// The names that are looked for, as a tree: `name.given` is `given` below `name`.
#[derive(Debug, Default)]
pub(super) struct Names {
    nodes: Vec<Node>,
    count: usize,
}

#[derive(Debug)]
struct Node {
    name: String,
    /// The number of the value here, if it is read itself.
    slot: Option<usize>,
    below: Vec<Node>,
}

/// A row's values, as text.
#[derive(Debug, Clone)]
pub struct Fields<'r> {
    /// The whole row.
    pub(super) row: &'r str,
    values: Vec<Option<&'r str>>,
}

impl Names {
    /// The number of a field; the same field has the same one.
    pub fn slot(&mut self, names: &[&str]) -> usize {
        let count = &mut self.count;
        let mut nodes = &mut self.nodes;
        let mut last = 0;
        for (depth, name) in names.iter().enumerate() {
            let place = nodes.iter().position(|node| node.name == *name);
            let place = place.unwrap_or_else(|| {
                nodes.push(Node {
                    name: (*name).to_owned(),
                    slot: None,
                    below: Vec::new(),
                });
                nodes.len() - 1
            });
            let node = &mut nodes[place];
            if depth + 1 == names.len() {
                last = *node.slot.get_or_insert_with(|| {
                    *count += 1;
                    *count - 1
                });
            }
            nodes = &mut node.below;
        }
        last
    }

    /// Finds the values of a row, which must be an object.
    pub fn read<'r>(&self, row: &'r str) -> Result<Fields<'r>, Odd> {
        let mut values = vec![None; self.count];
        walk(&self.nodes, row, &mut values)?;
        Ok(Fields { row, values })
    }
}

impl<'r> Fields<'r> {
    /// The text of a value; absent if the field is absent or null.
    pub(super) fn value(&self, slot: usize) -> Option<&'r str> {
        self.values
            .get(slot)
            .copied()
            .flatten()
            .filter(|text| *text != "null")
    }
}

/// Of two members of one name the last counts, as in a tree.
fn walk<'r>(nodes: &[Node], object: &'r str, values: &mut [Option<&'r str>]) -> Result<(), Odd> {
    let mut members = Members::of(object).ok_or(Odd)?;
    // Rows mostly have their members in one order: the next name is looked for behind the last one found.
    let mut expected = 0;
    while let Some(member) = members.next()? {
        let is_here = |node: &&Node| node.name == member.name;
        let place = match nodes.get(expected).filter(is_here) {
            Some(_) => Some(expected),
            None => nodes.iter().position(|node| node.name == member.name),
        };
        let Some((place, node)) = place.and_then(|place| Some((place, nodes.get(place)?))) else {
            // Spelled with an escape, it might be one of them.
            match memchr::memchr(b'\\', member.name.as_bytes()) {
                Some(_) => return Err(Odd),
                None => continue,
            }
        };
        expected = place + 1;
        if let Some(value) = node.slot.and_then(|slot| values.get_mut(slot)) {
            *value = Some(member.value);
        }
        if !node.below.is_empty() {
            clear(&node.below, values);
            if member.value.starts_with('{') {
                walk(&node.below, member.value, values)?;
            }
        }
    }
    Ok(())
}

fn clear(nodes: &[Node], values: &mut [Option<&str>]) {
    for node in nodes {
        if let Some(value) = node.slot.and_then(|slot| values.get_mut(slot)) {
            *value = None;
        }
        clear(&node.below, values);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_at_any_depth_and_the_last_counts() {
        let mut names = Names::default();
        let paths: [&[&str]; 4] = [&["a"], &["b", "c"], &["b"], &["b", "d", "e"]];
        let slots = paths.map(|path| names.slot(path));
        assert_eq!(slots, [0, 1, 2, 3]);
        assert_eq!(names.slot(&["b", "c"]), 1);
        let cases = [
            ("{}", [None, None, None, None]),
            (r#"{"a":1,"x":2,"b":null}"#, [Some("1"), None, None, None]),
            (
                r#"{"b":{"d":{"e":"f"},"c":2},"a":[1]}"#,
                [
                    Some("[1]"),
                    Some("2"),
                    Some(r#"{"d":{"e":"f"},"c":2}"#),
                    Some("\"f\""),
                ],
            ),
            (
                r#"{"b":{"c":2},"b":{"d":1}}"#,
                [None, None, Some(r#"{"d":1}"#), None],
            ),
            (
                r#"{"b":{"c":2},"a":1,"a":2,"b":7}"#,
                [Some("2"), None, Some("7"), None],
            ),
        ];
        for (row, expected) in cases {
            let fields = names.read(row).unwrap();
            assert_eq!(slots.map(|slot| fields.value(slot)), expected, "{row}");
        }
        for odd in ["[]", "1", r#"{"\u0061":1}"#, "{\"a\":"] {
            assert!(names.read(odd).is_err(), "{odd}");
        }
    }
}
