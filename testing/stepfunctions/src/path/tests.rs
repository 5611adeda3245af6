use serde_json::json;

use super::*;

fn select(path: &str) -> Value {
    let data = json!({
        "a": {"b": [1, 2, 3], "c d": true},
        "items": [{"n": 1, "tag": "x"}, {"n": 2}, {"n": 3, "tag": "y", "sub": {"n": 4}}],
        "limit": 2
    });
    match Path::parse(path).unwrap().select(&data) {
        Ok(value) => value,
        Err(nothing) => json!(nothing.reason),
    }
}

#[test]
fn definite_paths_select_one_value() {
    assert_eq!(select("$.a.b[0]"), json!(1));
    assert_eq!(select("$.a.b[-1]"), json!(3));
    assert_eq!(select("$['a']['c d']"), json!(true));
    assert_eq!(select("$.no"), json!("No results for path: $['no']"));
    assert_eq!(select("$.no.such"), json!("Missing property in path $['no']"));
    assert_eq!(select("$.a.b[3]"), json!("No results for path: $['a']['b'][3]"));
}

#[test]
fn all_other_paths_select_a_list() {
    assert_eq!(select("$.a.b[*]"), json!([1, 2, 3]));
    assert_eq!(select("$.a.b[1:]"), json!([2, 3]));
    assert_eq!(select("$.a.b[:-1]"), json!([1, 2]));
    assert_eq!(select("$.a.b[0,2]"), json!([1, 3]));
    assert_eq!(select("$.items[*].tag"), json!(["x", "y"]));
    assert_eq!(select("$..n"), json!([1, 2, 3, 4]));
    assert_eq!(select("$.none[*].tag"), json!([]));
    assert_eq!(select("$.items[?(@.n > 1)].n"), json!([2, 3]));
    assert_eq!(select("$.items[?(@.tag)].n"), json!([1, 3]));
    assert_eq!(select("$.items[?(@.tag == 'y' || @.n == $.limit)].n"), json!([2, 3]));
    assert_eq!(select("$.items[?(!(@.tag) && @.n >= 2)].n"), json!([2]));
}

#[test]
fn a_path_starts_from_the_root_the_context_or_a_variable() {
    assert_eq!(Path::parse("$$.Execution.Id").unwrap().base, Base::Context);
    assert_eq!(Path::parse("$x.y").unwrap().base, Base::Variable("x".to_owned()));
    assert_eq!(Path::parse("$").unwrap().base, Base::Root);
}

#[test]
fn what_is_not_known_is_refused() {
    for path in [
        "a.b",
        "$.a.length()",
        "$.a[?(@.x =~ /y/)]",
        "$.a[?(@.x in [1])]",
        "$.a[",
        "$.a[(@.length-1)]",
        "$.a[::-1]",
        "$.",
    ] {
        assert!(Path::parse(path).is_err(), "{path}");
    }
}
