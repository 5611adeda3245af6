//! What it refuses, and that a refusal fails the test.

use std::io::{Read, Write};
use std::net::TcpStream;

use super::*;
use crate::or_skip;

const SHA: &str = "6dcb09b5b57875f334f61aebed695e2e4193db5e";

/// What the GitHub answers, head and body.
fn ask(github: &GitHub, method: &str, path: &str, headers: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(github.api().trim_start_matches("http://")).unwrap();
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: github\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn headers(github: &GitHub) -> String {
    format!(
        "authorization: Bearer {}\r\nuser-agent: test\r\naccept: application/vnd.github+json\r\n\
         x-github-api-version: 2022-11-28\r\ncontent-type: application/json\r\n",
        github.token()
    )
}

#[test]
fn what_the_description_does_not_allow_is_refused_with_words() {
    let Some(github) = or_skip("violations", GitHub::start()) else {
        return;
    };
    github.repository("o/r").pull_request(17, SHA);
    let statuses = format!("/repos/o/r/statuses/{SHA}");
    let right = headers(&github);
    let table = [
        (
            "POST",
            statuses.as_str(),
            right.as_str(),
            r#"{"state":"done"}"#,
            "\"/state\"",
        ),
        (
            "POST",
            &statuses,
            &right,
            r#"{"context":"x"}"#,
            "\"state\" is a required property",
        ),
        (
            "POST",
            &statuses,
            &right,
            r#"{"state":"success","colour":"red"}"#,
            "\"colour\" is not described",
        ),
        ("POST", &statuses, &right, "state=success", "the body is no JSON"),
        ("GET", "/repos/o/r/pulls?page=one", &right, "", "the parameter \"page\""),
        (
            "GET",
            "/repos/o/r/pulls?state=ajar",
            &right,
            "",
            "the parameter \"state\"",
        ),
        (
            "GET",
            "/repos/o/r/pulls?sate=open",
            &right,
            "",
            "\"sate\" is not described",
        ),
        (
            "GET",
            "/repos/o/r/pulls/seventeen",
            &right,
            "",
            "the parameter \"pull_number\"",
        ),
        (
            "GET",
            "/repos/o/r/pulls",
            "user-agent: test\r\n",
            "",
            "x-github-api-version",
        ),
        (
            "GET",
            "/repos/o/r/pulls",
            &right.replace("user-agent: test\r\n", ""),
            "",
            "user-agent is missing",
        ),
        (
            "GET",
            "/repos/o/r/branches",
            &right,
            "",
            "not among the operations in use",
        ),
    ];
    for (method, path, headers, body, words) in table {
        let answer = ask(&github, method, path, headers, body);
        assert!(answer.starts_with("HTTP/1.1 40"), "{answer}");
        let violations = github.violations().join("\n");
        assert!(violations.contains(words), "{method} {path} {body}: {violations}");
    }
}

#[test]
#[should_panic(expected = "does not allow what was sent to it")]
fn a_violation_that_nobody_asks_for_fails_the_test() {
    let Some(github) = or_skip("violations fail", GitHub::start()) else {
        panic!("GitHub's description of its API does not allow what was sent to it: skipped");
    };
    ask(&github, "GET", "/repos/o/r/branches", "", "");
}

#[test]
fn a_private_repository_is_not_there_for_those_without_a_credential() {
    let Some(github) = or_skip("private repositories", GitHub::start()) else {
        return;
    };
    github.repository("o/r").pull_request(17, SHA);
    let right = headers(&github);
    let without = right
        .lines()
        .skip(1)
        .map(|line| format!("{line}\r\n"))
        .collect::<String>();
    let wrong = right.replace("Bearer github", "Bearer gitlab");
    for (headers, status) in [(right, "200"), (without, "404"), (wrong, "401")] {
        let answer = ask(&github, "GET", "/repos/o/r/pulls/17", &headers, "");
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{answer}");
    }
    let asked: Vec<_> = github.requests().iter().map(|request| request.asked_by).collect();
    assert_eq!(asked, [Asker::Token, Asker::Nobody, Asker::Stranger]);
}

#[test]
fn a_commit_has_a_thousand_statuses_of_a_context_and_no_more() {
    let Some(github) = or_skip("the number of statuses", GitHub::start()) else {
        return;
    };
    let repository = github.repository("o/r");
    repository.commit(SHA);
    let status = Status {
        sha: SHA.to_owned(),
        context: "Tests".to_owned(),
        state: "pending".to_owned(),
        description: String::new(),
        target_url: None,
    };
    repository.change(|contents| contents.statuses.extend(vec![status; 1_000]));
    let set = |context| {
        let body = format!(r#"{{"state":"success","context":"{context}"}}"#);
        ask(
            &github,
            "POST",
            &format!("/repos/o/r/statuses/{SHA}"),
            &headers(&github),
            &body,
        )
    };
    assert!(set("tests").contains("maximum number of statuses"));
    assert!(set("others").starts_with("HTTP/1.1 201"));
}

#[test]
fn a_credential_that_reaches_the_archives_is_a_violation() {
    let Some(github) = or_skip("credentials at the archives", GitHub::start()) else {
        return;
    };
    github.repository("o/r").archive(SHA, Archive::new("zip"));
    let archives = github.shared.archives.trim_start_matches("http://").to_owned();
    let mut stream = TcpStream::connect(archives).unwrap();
    let request =
        format!("GET /o/r/legacy.zip/{SHA}?token=FIVEMINUTES HTTP/1.1\r\nhost: x\r\nauthorization: x\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 400");
    assert_eq!(
        github.violations(),
        ["a credential was sent to the host that archives lie on"]
    );
}
