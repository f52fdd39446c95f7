//! Shipped mappings of applications that nobody can start here, against fakes made from their public documentation: an
//! Okta and an Entra life cycle through the gateway, and afterwards what the application has.

#[path = "contracts/aws_identity_store.rs"]
mod aws_identity_store;
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
