use serde_json::json;

use super::*;
use crate::random::Random;

fn apply(text: &str) -> Result<Value, String> {
    fn evaluate(call: &Call, random: &mut Random) -> Result<Value, String> {
        let arguments: Result<Vec<Value>, String> = call
            .arguments
            .iter()
            .map(|argument| match argument {
                Argument::Value(value) => Ok(value.clone()),
                Argument::Text(text) if call.function == Function::Format => Ok(Value::from(text.as_str())),
                Argument::Text(text) => Ok(Value::from(unescaped(text))),
                Argument::Call(call) => evaluate(call, random),
                Argument::Path(path) => Err(format!("{} has no value here", path.text)),
            })
            .collect();
        call.function.apply(&arguments?, random)
    }
    evaluate(&Call::parse(text)?, &mut Random::new(3))
}

#[test]
fn the_functions_answer_as_documented() {
    for (call, value) in [
        ("States.Array('a', 1, null)", json!(["a", 1, null])),
        ("States.ArrayPartition(States.Array(1, 2, 3), 2)", json!([[1, 2], [3]])),
        ("States.ArrayContains(States.Array(1, 2), 2)", json!(true)),
        ("States.ArrayRange(1, 9, 2)", json!([1, 3, 5, 7, 9])),
        ("States.ArrayRange(5, 1, -2)", json!([5, 3, 1])),
        ("States.ArrayRange(1, 5, -1)", json!([])),
        ("States.ArrayGetItem(States.Array('a', 'b'), 1)", json!("b")),
        ("States.ArrayLength(States.Array())", json!(0)),
        ("States.ArrayUnique(States.Array(1, 1, 2))", json!([1, 2])),
        ("States.Base64Encode('Data to encode')", json!("RGF0YSB0byBlbmNvZGU=")),
        ("States.Base64Decode('RGF0YSB0byBlbmNvZGU=')", json!("Data to encode")),
        ("States.Base64Decode('YQ')", json!("a")),
        ("States.MathAdd(-1.5, -1.51)", json!(-3)),
        ("States.MathAdd(111, -1)", json!(110)),
        ("States.StringSplit('a.b+c', '.+')", json!(["a", "b", "c"])),
        ("States.StringToJson('{\"a\": 1}')", json!({"a": 1})),
        (
            "States.JsonToString(States.StringToJson('{\"a\": [1]}'))",
            json!("{\"a\":[1]}"),
        ),
        ("States.Format('{} is {}', 'it', 1.5)", json!("it is 1.5")),
        (
            r"States.Format('\{\}, it\'s {}', States.Array(1, 'b'))",
            json!("{}, it's [1, b]"),
        ),
        (
            "States.JsonMerge(States.StringToJson('{\"a\":1,\"b\":1}'), States.StringToJson('{\"b\":2}'), false)",
            json!({"a": 1, "b": 2}),
        ),
    ] {
        assert_eq!(apply(call), Ok(value), "{call}");
    }
}

#[test]
fn what_has_no_value_says_why() {
    for call in [
        "States.ArrayGetItem(States.Array(), 0)",
        "States.ArrayPartition(States.Array(1), 0)",
        "States.ArrayRange(0, 5000, 1)",
        "States.ArrayLength('text')",
        "States.Hash('a', 'SHA-3')",
        "States.Format('{}')",
        "States.MathRandom(5, 5)",
        "States.StringToJson('{')",
    ] {
        assert!(apply(call).is_err(), "{call}");
    }
}

#[test]
fn a_random_number_is_within_its_bounds_and_the_same_for_the_same_seed() {
    let number = apply("States.MathRandom(-10, 10)").unwrap().as_i64().unwrap();
    assert!((-10..10).contains(&number));
    assert_eq!(
        apply("States.MathRandom(0, 999, 3)"),
        apply("States.MathRandom(0, 999, 3)")
    );
}

#[test]
fn what_is_no_call_is_refused() {
    for text in [
        "States.Nothing()",
        "States.UUID(1)",
        "States.Array('a'",
        "States.Array('a' 'b')",
        "States.Array(a)",
        "States.Array('a",
        "States.Array() x",
    ] {
        assert!(Call::parse(text).is_err(), "{text}");
    }
}
