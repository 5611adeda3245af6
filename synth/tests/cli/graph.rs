//! Drawings of state machines and stacks.

use crate::Workplace;

const MACHINE: &str = r#"{
  "QueryLanguage": "JSONata",
  "StartAt": "Fetch",
  "States": {
    "Fetch": {
      "Type": "Task",
      "Resource": "arn:aws:states:::lambda:invoke",
      "Arguments": { "FunctionName": "${FetchSource.Arn}" },
      "Retry": [{ "ErrorEquals": ["Lambda.ServiceException", "Lambda.SdkClientException"], "MaxAttempts": 4 }],
      "Catch": [
        { "ErrorEquals": ["SourceRejected"], "Next": "Failed" },
        { "ErrorEquals": ["States.ALL"], "Next": "Failed" }
      ],
      "Next": "Report"
    },
    "Report": {
      "Type": "Parallel",
      "Branches": [
        { "StartAt": "Status", "States": { "Status": { "Type": "Pass", "End": true } } },
        { "StartAt": "Comment", "States": { "Comment": { "Type": "Succeed" } } }
      ],
      "Next": "Done?"
    },
    "Done?": {
      "Type": "Choice",
      "Choices": [{ "Condition": "{% $states.input.status = \"InProgress\" %}", "Next": "Wait" }],
      "Default": "Deployed"
    },
    "Wait": { "Type": "Wait", "Seconds": 30, "Next": "Done?" },
    "Deployed": { "Type": "Succeed" },
    "Failed": { "Type": "Fail", "Error": "Pipeline" }
  }
}"#;

#[test]
fn choices_catchers_and_branches_are_drawn_as_mermaid() {
    let place = Workplace::new();
    place.write("small.asl.json", MACHINE);
    let run = place.run("graph small.asl.json").succeeded();
    let drawing: Vec<&str> = run.stdout.lines().filter(|line| !line.contains("classDef")).collect();
    insta::assert_snapshot!(drawing.join("\n"), @r###"
    flowchart TD
      s1((" "))
      s2["Fetch<br/>λ FetchSource<br/>↻ 4× Lambda errors"]:::task
      subgraph s3["Report<br/>all at once"]
        direction TB
        s4((" "))
        s5["Status"]:::pass
        s6(((" ")))
        s7((" "))
        s8(["Comment"]):::succeed
        s4 --> s5
        s5 --> s6
        s7 --> s8
      end
      s9{{"Done?"}}:::choice
      s10(["Wait<br/>30 s"]):::wait
      s11(["Deployed"]):::succeed
      s12(["Failed<br/>Pipeline"]):::fail
      s1 --> s2
      s2 --> s3
      s2 -.->|"SourceRejected<br/>any error"| s12
      s3 --> s9
      s9 -->|"$states.input.status = #34;InProgress#34;"| s10
      s9 -->|"otherwise"| s11
      s10 --> s9
    "###);
}

#[test]
fn the_svg_is_well_formed_and_names_every_state() {
    let place = Workplace::new();
    place.write("small.asl.json", MACHINE);
    let svg = place.run("graph small.asl.json --format svg").succeeded().stdout;
    let texts = well_formed(&svg);
    for name in [
        "Fetch",
        "Report",
        "Status",
        "Comment",
        "Done?",
        "Wait",
        "Deployed",
        "Failed",
        "SourceRejected",
    ] {
        assert!(texts.iter().any(|text| text == name), "{name}: {texts:?}");
    }
    assert!(svg.contains("viewBox"));
    assert!(!svg.contains("NaN") && !svg.contains("inf"));
}

#[test]
fn the_page_needs_no_network() {
    let place = Workplace::new();
    place.write("small.asl.json", MACHINE);
    let page = place.run("graph small.asl.json --format html").succeeded().stdout;
    assert!(page.starts_with("<!doctype html>"));
    assert!(page.contains("<svg xmlns=\"http://www.w3.org/2000/svg\""));
    assert!(!page.contains("{{"));
    let addresses = page.matches("http").count();
    assert_eq!(
        addresses,
        page.matches("http://www.w3.org/2000/svg").count() + page.matches("http-equiv").count()
    );
    assert!(!page.contains("src=") && !page.contains("@import"));
}

#[test]
fn names_from_outside_do_not_break_the_drawing() {
    let place = Workplace::new();
    let machine =
        r#"{"StartAt": "a<b>&\"c\"", "States": {"a<b>&\"c\"": {"Type": "Wait", "SecondsPath": "$.x]", "End": true}}}"#;
    place.write("odd.asl.json", machine);
    let svg = place.run("graph odd.asl.json --format svg").succeeded().stdout;
    assert!(well_formed(&svg).contains(&"a<b>&\"c\"".to_owned()));
    let mermaid = place.run("graph odd.asl.json").succeeded().stdout;
    assert!(
        mermaid.contains("s2([\"a#60;b#62;#38;#34;c#34;<br/>$.x] s\"]):::wait"),
        "{mermaid}"
    );
}

#[test]
fn a_state_that_goes_nowhere_is_named() {
    let place = Workplace::new();
    place.write(
        "bad.asl.json",
        &MACHINE.replace("\"Next\": \"Wait\"", "\"Next\": \"Wiat\""),
    );
    let run = place.run("graph bad.asl.json").ended_with(2);
    assert!(
        run.stderr.contains("the state \"Done?\" goes to \"Wiat\""),
        "{}",
        run.stderr
    );
    place.write("no.asl.json", "{}");
    let run = place.run("graph no.asl.json").ended_with(2);
    assert!(
        run.stderr.contains("`States` is missing") && run.stderr.contains("help: "),
        "{}",
        run.stderr
    );
}

#[test]
fn stacks_are_drawn_by_name() {
    let place = Workplace::new();
    let run = place.run("graph --of stacks --pr 17").succeeded();
    assert!(run.stdout.contains("[\"thebestest-deploy-pr-17<br/>"), "{}", run.stdout);
    well_formed(&place.run("graph --of stacks --format svg").succeeded().stdout);
}

#[test]
fn an_environment_without_a_state_machine_says_where_there_is_one() {
    let run = Workplace::new().run("graph --pr 17").ended_with(2);
    assert!(
        run.stderr.contains("no stack of pr-17 has a state machine"),
        "{}",
        run.stderr
    );
    assert!(run.stderr.contains("--of stacks"), "{}", run.stderr);
}

/// The texts of an XML document whose tags close in order and whose entities are known.
fn well_formed(xml: &str) -> Vec<String> {
    let (mut open, mut texts) = (Vec::new(), Vec::new());
    for part in xml.split('<').skip(1) {
        let (tag, text) = part.split_once('>').unwrap();
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "tags close in order");
        } else if !tag.ends_with('/') {
            open.push(tag.split_whitespace().next().unwrap());
        }
        assert_eq!(tag.matches('"').count() % 2, 0, "quotes are paired in {tag}");
        let style = open.last() == Some(&"style");
        if !text.trim().is_empty() && !style {
            let plain = ["&lt;<", "&gt;>", "&quot;\"", "&amp;&"]
                .iter()
                .fold(text.to_owned(), |text, entity| {
                    let (entity, character) = entity.split_once(';').unwrap();
                    text.replace(&format!("{entity};"), character)
                });
            texts.push(plain);
        }
    }
    assert!(open.is_empty(), "{open:?} are open");
    texts
}
