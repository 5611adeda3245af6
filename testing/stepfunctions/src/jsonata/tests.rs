use serde_json::json;

use super::*;

fn evaluate(source: &str) -> Result<Evaluated, String> {
    let expression = Expression::parse(source, Place::Elsewhere).map_err(|faults| faults.join("; "))?;
    let states = json!({"input": {"n": 3, "items": [1, 2, 3], "text": "{\"a\":1}", "nothing": null}});
    let surroundings = Surroundings {
        states: &states,
        variable: &|name| (name == "big").then(|| json!(9_007_199_254_740_993_i64)),
        now: Time::from_unix_millis(1_500_000_000_000),
    };
    expression.evaluate(&surroundings, &mut Random::new(7))
}

fn value(source: &str) -> Value {
    match evaluate(source) {
        Ok(Evaluated::Value(value)) => value,
        other => panic!("{source}: {other:?}"),
    }
}

#[test]
fn the_functions_of_step_functions_answer_as_they_do_on_aws() {
    assert_eq!(value("$partition([1,2,3,4], 2)"), json!([[1, 2], [3, 4]]));
    assert_eq!(value("$partition([1], 3.9)"), json!([[1]]));
    assert_eq!(value("$range(0, 6, 2)"), json!([0, 2, 4, 6]));
    assert_eq!(value("$range(5, 1, -2)"), json!([5, 3, 1]));
    assert_eq!(value("$range(4, 4, 1)"), json!(4));
    assert_eq!(
        value("$hash('input', 'SHA-1')"),
        json!("140f86aae51ab9e1cda9b4254fe98a74eb54c1a1")
    );
    assert_eq!(value("$random(42)"), json!(0.727_563_680_032_868_1));
    assert_eq!(value("$parse($states.input.text).a"), json!(1));
    assert_eq!(value("$states.input.items ~> $partition(2)"), json!([[1, 2], [3]]));
    for nothing in [
        "$range(0, 6)",
        "$range(1, 5, -1)",
        "$partition([], 2)",
        "$partition([1], 0)",
        "$hash('a')",
    ] {
        assert_eq!(evaluate(nothing), Ok(Evaluated::Undefined), "{nothing}");
    }
    assert!(evaluate("$hash('a', 'sha-1')").is_err());
}

#[test]
fn time_and_chance_are_the_executions_own() {
    assert_eq!(value("$millis()"), json!(1_500_000_000_000_i64));
    assert_eq!(value("$now()"), json!("2017-07-14T02:40:00.000Z"));
    assert_eq!(value("$now('[Y0001]')"), json!("2017"));
    assert_eq!(value("$random()"), value("$random()"));
    assert_eq!(value("$uuid()"), value("$uuid()"));
    assert_eq!(value("($r := $random; $r() != $r())"), json!(true));
    assert_eq!(value("$count($shuffle([1..9]))"), json!(9));
}

#[test]
fn what_is_wrong_is_said_in_jsonatas_own_words() {
    for (source, message) in [
        (
            "'a' + 1",
            "T2001: The left side of the \"+\" operator must evaluate to a number",
        ),
        (
            "1 * 'a'",
            "T2002: The right side of the \"*\" operator must evaluate to a number",
        ),
        ("$nothing()", "T1006: Attempted to invoke a non-function"),
        ("$number('x')", "D3030: Unable to cast value to a number: \"x\""),
        (
            "$abs('x')",
            "T0410: Argument 1 of function \"abs\" does not match function signature",
        ),
        (
            "$sum('x')",
            "T0412: Argument 1 of function \"sum\" must be an array of \"numbers\"",
        ),
        (
            "[1..'a']",
            "T2004: The right side of the range operator (..) must evaluate to an integer",
        ),
        ("$error('stop')", "D3137: stop"),
    ] {
        assert_eq!(evaluate(source), Err(message.to_owned()), "{source}");
    }
}

#[test]
fn what_json_has_no_number_for_is_written_by_its_name() {
    assert_eq!(value("1 / 0"), json!("Infinity"));
    assert_eq!(value("[-1 / 0]"), json!(["-Infinity"]));
}

#[test]
fn a_variable_keeps_every_digit() {
    assert_eq!(value("$big"), json!(9_007_199_254_740_993_i64));
}

#[test]
fn whole_numbers_have_no_fraction_and_null_is_a_value() {
    assert_eq!(value("$states.input.n / 3").to_string(), "1");
    assert_eq!(value("0.1 + 0.2").to_string(), "0.30000000000000004");
    assert_eq!(value("$states.input.nothing"), json!(null));
}

#[test]
fn what_step_functions_does_not_evaluate_is_refused() {
    for (source, reason) in [
        ("$states.input.a ?? 1", "newer than JSONata 2.0.6"),
        ("$states.input.a ?: 1", "newer than JSONata 2.0.6"),
        ("phone", "`phone` at the top level"),
        ("$map([1], function($x){ phone })", "`phone` at the top level"),
        ("$", "`$` at the top level"),
        ("$$.a", "`$$` is not supported"),
        ("sum([1])", "functions are called as $sum"),
        (
            "$states.errorOutput.Error",
            "only in the Output and Assign of a catcher",
        ),
        ("$states.nothing", "is not there"),
        ("a[1,2)", "is not JSONata"),
        (
            "$match($states.input.text, /(?=a)b/)",
            "the regular expression /(?=a)b/ is not supported",
        ),
    ] {
        let faults = Expression::parse(source, Place::Elsewhere).map(|_| ()).unwrap_err();
        assert!(
            faults.iter().any(|fault| fault.contains(reason)),
            "{source}: {faults:?}"
        );
    }
    for source in [
        "$states.input.items[$ > 1]",
        "$states.input.orders[price > 1].name",
        "$states.input.items^(>price){name: price}",
        "$states.input.($string(n) & text)",
        "$map($states.input.items, function($v, $i) { $v.name & $i })",
        "$states.input ~> | $ | {'a': n} |",
        "$replace($states.input.text, /[a-z]+(\\d)/i, '$1')",
    ] {
        assert!(Expression::parse(source, Place::Elsewhere).is_ok(), "{source}");
    }
    assert!(Expression::parse("$states.errorOutput.Error", Place::Catcher).is_ok());
}
