//! Properties that hold the hash of other resources, so that they change whenever one of those does.

use sha2::{Digest, Sha256};
use synth_aws::Node;

use crate::render;
use crate::stack::{Body, Stack};

/// Writes the hashes of elements, which by now are complete and named.
pub(super) fn write(stack: &mut Stack) {
    for fingerprint in std::mem::take(&mut stack.fingerprints) {
        let mut hash = Sha256::new();
        for part in &fingerprint.of {
            let element = stack
                .elements
                .get(part.index as usize)
                .filter(|_| part.stack == stack.number);
            if let Some(element) = element
                && let Body::Resource(body) = &element.body
            {
                let properties = render::shown_node(&Node::Object(body.properties.clone()));
                hash.update(format!("{} {} {properties}\n", element.logical_id, body.type_name));
            }
        }
        let digest: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        if let Some(body) = stack.resource_mut(fingerprint.owner) {
            // The construct set the property already, on behalf of whoever asked for it.
            if let Some(value) = body.properties.get_mut(fingerprint.property) {
                *value = digest.into();
            }
        }
    }
}
