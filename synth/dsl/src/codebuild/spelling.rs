//! The closest of a list of names to one that is not in it.

/// The candidate that differs from `name` in the fewest letters, if those are few enough to be a slip.
pub(crate) fn closest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (name.len() / 3).clamp(1, 3);
    candidates
        .into_iter()
        .map(|candidate| (distance(name, candidate), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// How many letters must be put in, taken out or replaced, case aside (Levenshtein).
fn distance(left: &str, right: &str) -> usize {
    let letters = |text: &str| -> Vec<char> { text.to_lowercase().chars().collect() };
    let (left, right) = (letters(left), letters(right));
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (index, wanted) in left.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = index + 1;
        for (column, found) in right.iter().enumerate() {
            let replaced = diagonal + usize::from(wanted != found);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(row[column] + 1).min(diagonal + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::closest;

    #[test]
    fn a_slip_is_near_and_another_word_is_not() {
        assert_eq!(closest("TABEL_NAME", ["TABLE_NAME", "BUCKET"]), Some("TABLE_NAME"));
        assert_eq!(closest("table_name", ["TABLE_NAME"]), Some("TABLE_NAME"));
        assert_eq!(closest("TOKEN", ["TABLE_NAME", "BUCKET"]), None);
        assert_eq!(closest("A", []), None);
    }
}
