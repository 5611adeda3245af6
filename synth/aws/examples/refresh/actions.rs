//! IAM actions: cfn-lint's policy data has them in lower case, people write them in AWS's own spelling.
//!
//! IAM compares action names without regard to case, so the spelling is for readers. The committed facts carry it; an
//! action that is new to them is spelled from the words of those that are known.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

/// The actions of every service prefix, spelled and sorted.
pub(crate) fn spelled(
    policies: &Map<String, Value>,
    committed: &Map<String, Value>,
) -> Result<BTreeMap<String, Vec<String>>, String> {
    let known: BTreeMap<(String, String), String> = committed
        .iter()
        .flat_map(|(prefix, names)| {
            let names = names.as_array().into_iter().flatten().filter_map(Value::as_str);
            names.map(|name| ((prefix.clone(), name.to_lowercase()), name.to_owned()))
        })
        .collect();
    let words: BTreeSet<String> = known.values().flat_map(|name| words(name)).collect();

    let mut spelled = BTreeMap::new();
    for (prefix, facts) in policies {
        let Some(actions) = facts.get("Actions").and_then(Value::as_object) else {
            continue;
        };
        let mut names: Vec<String> = actions
            .keys()
            .map(|name| match known.get(&(prefix.clone(), name.clone())) {
                Some(spelling) => spelling.clone(),
                None => spell(name, &words),
            })
            .collect();
        names.sort();
        spelled.insert(prefix.clone(), names);
    }
    if spelled.is_empty() {
        Err("the policy data holds no actions".to_owned())
    } else {
        Ok(spelled)
    }
}

/// The capitalised words of a spelled name: `GetObjectAcl` → `Get`, `Object`, `Acl`.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut previous_lower = true;
    for character in name.chars() {
        match words.last_mut() {
            Some(word) if !(character.is_ascii_uppercase() && previous_lower) => word.push(character),
            _ => words.push(character.to_string()),
        }
        previous_lower = !character.is_ascii_uppercase();
    }
    words
}

/// Spells `name` with the fewest known words; what no words cover is only capitalised.
fn spell(name: &str, words: &BTreeSet<String>) -> String {
    let by_lower: BTreeMap<String, &String> = words.iter().map(|word| (word.to_lowercase(), word)).collect();
    let mut best: Vec<Option<(usize, String)>> = vec![None; name.len() + 1];
    best[0] = Some((0, String::new()));
    for end in 1..=name.len() {
        for start in 0..end {
            let (Some((count, spelled)), Some(word)) = (
                best[start].clone(),
                name.get(start..end).and_then(|part| by_lower.get(part)),
            ) else {
                continue;
            };
            if best[end].as_ref().is_none_or(|(fewest, _)| count + 1 < *fewest) {
                best[end] = Some((count + 1, format!("{spelled}{word}")));
            }
        }
    }
    match best.pop().flatten() {
        Some((_, spelled)) => spelled,
        None => name[..1].to_uppercase() + &name[1..],
    }
}
