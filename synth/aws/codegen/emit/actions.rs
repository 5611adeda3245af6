//! IAM actions: one enum a service prefix.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use crate::names;

/// The module of IAM actions: one enum a service prefix.
pub(crate) fn actions(actions: &BTreeMap<String, Vec<String>>) -> String {
    let mut source = "/// IAM actions, one enum a service prefix; see\n/// <https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html>.\npub mod actions {\n".to_owned();
    for (prefix, names) in actions.iter().filter(|(_, names)| !names.is_empty()) {
        let enumeration = names::variant(prefix);
        let _ = writeln!(
            source,
            "/// The actions of `{prefix}`.\n#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]\npub enum {enumeration} {{"
        );
        let mut qualified = String::new();
        let mut taken = BTreeSet::new();
        for name in names {
            if taken.insert(names::type_name(name)) {
                let _ = writeln!(source, "/// `{prefix}:{name}`\n{},", names::type_name(name));
                let _ = write!(qualified, "\"{prefix}:{name}\",");
            }
        }
        let _ = writeln!(
            source,
            "}}\nimpl crate::Action for {enumeration} {{ const SERVICE: &'static str = \"{prefix}\"; fn qualified(self) -> &'static str {{ const NAMES: &[&str] = &[{qualified}]; NAMES[self as usize] }} }}"
        );
    }
    source.push_str("}\n");
    source
}
