//! Shipped mappings of applications that nobody can start here, against fakes made from their public documentation: an
//! Okta and an Entra life cycle through the gateway, and afterwards what the application has. Where the application's owner
//! publishes a description that a program can read, every call and every answer is held against it (`described`).

#[path = "contracts/aws_identity_store.rs"]
mod aws_identity_store;
#[path = "contracts/described.rs"]
mod described;
#[path = "support/fake_target.rs"]
#[allow(
    dead_code,
    reason = "shared with the tests of the driver, which use more of it"
)]
mod fake_target;
#[path = "contracts/fixed_identifier.rs"]
mod fixed_identifier;
#[path = "contracts/github.rs"]
mod github;
#[path = "contracts/salesforce.rs"]
mod salesforce;
#[path = "contracts/stage.rs"]
mod stage;

/// `SCIMGATE_BLESS=1 cargo test --test contracts` writes the tables anew.
#[test]
fn each_page_shows_what_its_mapping_can_do() {
    for app in [
        "aws-identity-store",
        "fixed-identifier",
        "github",
        "salesforce",
    ] {
        let (mapping, complaints) =
            scimgate::cli::check_file(format!("mappings/apps/{app}.toml").as_ref());
        let errors: Vec<_> = complaints.iter().filter(|c| c.is_error()).collect();
        assert!(errors.is_empty(), "{app}: {errors:#?}");
        let table = scimgate::mapping::check::capabilities(&mapping.unwrap()).to_string();
        let file = format!("docs/apps/{app}.md");
        let page = std::fs::read_to_string(&file).unwrap();
        let (before, rest) = page.split_once("```text capabilities\n").unwrap();
        let (found, after) = rest.split_once("```").unwrap();
        if std::env::var_os("SCIMGATE_BLESS").is_some() {
            let page = format!("{before}```text capabilities\n{table}```{after}");
            std::fs::write(&file, page).unwrap();
        } else {
            assert_eq!(found, table, "{app}");
        }
    }
}
