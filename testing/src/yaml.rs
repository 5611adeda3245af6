//! YAML text as CloudFormation understands it, judged by PyYAML: YAML 1.1 (`no` is a boolean, `0123` an octal number) with the short
//! intrinsics (`!Ref`, `!GetAtt`, `!Sub`, …) in their long form.
//!
//! A test proves with it that the YAML output says the same as the JSON output. Never checks that a template makes sense.

use std::process::Command;

use serde::Deserialize;
use serde_json::Value;

use crate::{
    Error, Refusal,
    tools::{self, Packages},
};

/// The document as JSON.
///
/// # Errors
/// [`Error::Refused`] for text that is no YAML, has a key twice, or uses a tag that is no intrinsic; the other errors when Python or
/// PyYAML cannot be had.
pub fn load_like_cloudformation(text: &str) -> Result<Value, Error> {
    let mut documents = load_all_like_cloudformation(&[text])?;
    Ok(documents.remove(0)?)
}

/// Each of the documents as JSON, in order, by one process.
///
/// # Errors
/// When Python or PyYAML cannot be had or run.
pub fn load_all_like_cloudformation(texts: &[&str]) -> Result<Vec<Result<Value, Refusal>>, Error> {
    #[derive(Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Answer {
        Value(Value),
        Refused(String),
    }

    let mut command = Command::new(tools::python(Packages::CfnLint)?);
    command
        .arg("-B")
        .arg(tools::script("yaml_cfn.py"))
        .env_remove("PYTHONPATH");
    let answers: Vec<Answer> = tools::answer("PyYAML", &mut command, &Value::from(texts).to_string())?;
    let documents = answers.into_iter().map(|answer| match answer {
        Answer::Value(document) => Ok(document),
        Answer::Refused(message) => Err(Refusal {
            tool: "PyYAML",
            message,
        }),
    });
    Ok(documents.collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::or_skip;

    #[test]
    fn every_short_intrinsic_becomes_its_long_form() {
        let table = [
            ("!Ref Topic", json!({ "Ref": "Topic" })),
            ("!Condition IsStage", json!({ "Condition": "IsStage" })),
            ("!GetAtt Role.Arn", json!({ "Fn::GetAtt": ["Role", "Arn"] })),
            (
                "!GetAtt Nested.Outputs.Url",
                json!({ "Fn::GetAtt": ["Nested", "Outputs.Url"] }),
            ),
            ("!GetAtt [Role, Arn]", json!({ "Fn::GetAtt": ["Role", "Arn"] })),
            ("!Sub '${AWS::Region}-x'", json!({ "Fn::Sub": "${AWS::Region}-x" })),
            (
                "!Sub ['${a}', { a: !Ref Topic }]",
                json!({ "Fn::Sub": ["${a}", { "a": { "Ref": "Topic" } }] }),
            ),
            (
                "!If [IsStage, '1', !Ref AWS::NoValue]",
                json!({ "Fn::If": ["IsStage", "1", { "Ref": "AWS::NoValue" }] }),
            ),
            (
                "!Join\n- ','\n- [a, !Ref Topic]",
                json!({ "Fn::Join": [",", ["a", { "Ref": "Topic" }]] }),
            ),
            ("!ImportValue 007", json!({ "Fn::ImportValue": "007" })),
            ("!GetAZs ''", json!({ "Fn::GetAZs": "" })),
            ("Fn::Sub: !Ref Topic", json!({ "Fn::Sub": { "Ref": "Topic" } })),
        ];
        let texts: Vec<_> = table.iter().map(|(text, _)| *text).collect();
        let Some(documents) = or_skip("short intrinsics", load_all_like_cloudformation(&texts)) else {
            return;
        };
        for ((text, expected), document) in table.iter().zip(documents) {
            assert_eq!(document.as_ref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn quoted_look_alikes_stay_text() {
        let look_alikes = [
            "no",
            "YES",
            "on",
            "y",
            "~",
            "null",
            "true",
            "0123",
            "0x1f",
            "1e3",
            "1_000",
            "12:30:45",
            "2012-10-17",
            ".inf",
            "=",
            "<<",
        ];
        let quoted = format!("[{}]", look_alikes.map(|text| format!("'{text}'")).join(", "));
        let Some(document) = or_skip("quoted text", load_like_cloudformation(&quoted)) else {
            return;
        };
        assert_eq!(document, json!(look_alikes));
    }

    #[test]
    fn unquoted_look_alikes_are_what_yaml_1_1_says() {
        let text = "[no, 0123, 0x1f, 12:30:45, 2012-10-17, ~]";
        let Some(document) = or_skip("plain scalars", load_like_cloudformation(text)) else {
            return;
        };
        assert_eq!(document, json!([false, 83, 31, 45045, "2012-10-17", null]));
    }

    #[test]
    fn what_cloudformation_would_not_read_is_refused() {
        let texts = ["a: [", "a: 1\na: 2", "a: !Reff b", "a: !!python/object:os.system x"];
        let Some(documents) = or_skip("bad YAML", load_all_like_cloudformation(&texts)) else {
            return;
        };
        for (text, document) in texts.iter().zip(documents) {
            assert!(document.is_err(), "{text:?} was read as {document:?}");
        }
    }
}
