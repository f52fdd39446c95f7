use super::*;
use crate::diagnostic::render;

fn source(path: &str, text: &str) -> Arc<SourceFile> {
    Arc::new(SourceFile {
        path: path.into(),
        text: text.to_owned(),
    })
}

#[test]
fn the_shipped_application_loads_without_complaints() {
    for entry in std::fs::read_dir("mappings/apps").unwrap() {
        let path = entry.unwrap().path();
        let file = source(
            &path.display().to_string(),
            &std::fs::read_to_string(&path).unwrap(),
        );
        match app_alone(&file, &NoEnvironment, MissingValues::AreWarnings) {
            Ok((mapping, _)) => assert!(!mapping.types.is_empty()),
            Err(complaints) => panic!("{}", render(&complaints, false)),
        }
    }
}
