//! Archives: they arrive whole or not at all, and no credential goes where they lie.

use std::time::Duration;

use runtime::functions::Invocation;
use runtime::github::Error;
use testing::github::{Archive, Fault};

use super::{NAME, OTHER, SHA, Test, seconds, test, within};

async fn read(test: &Test, time: &Invocation) -> Result<Vec<u8>, Error> {
    let mut zipball = test.client.zipball(NAME, SHA, time).await?;
    let mut bytes = Vec::new();
    while let Some(chunk) = zipball.next(time).await? {
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

#[tokio::test]
async fn the_archive_arrives_and_the_credential_stays_behind() {
    let Some(test) = test("an archive") else { return };
    let content: Vec<u8> = (0..300_000_u32).map(|at| at as u8).collect();
    test.repository.archive(
        SHA,
        Archive::new(content.clone())
            .in_chunks(7_000, Duration::ZERO)
            .out_of_service(1),
    );
    // That no credential came with it the other host checks; the test would fail at its end.
    assert_eq!(read(&test, &within(seconds(30))).await, Ok(content));
}

#[tokio::test]
async fn an_archive_that_breaks_off_or_stops_is_no_archive() {
    let Some(test) = test("broken archives") else { return };
    test.repository
        .archive(SHA, Archive::new(vec![7; 300_000]).cut_after(200_000));
    let fault = read(&test, &within(seconds(30))).await.expect_err("it is cut");
    assert!(fault.to_string().contains("it broke off"), "{fault}");
    test.repository
        .archive(SHA, Archive::new(vec![7; 300_000]).hanging_after(100_000));
    let fault = read(&test, &within(seconds(2))).await.expect_err("it stops");
    assert!(fault.to_string().contains("it stopped arriving"), "{fault}");
    let missing = test.client.zipball(NAME, OTHER, &within(seconds(30))).await;
    let missing = missing.expect_err("there is none");
    assert!(matches!(missing, Error::Missing { .. }), "{missing:?}");
    assert!(!format!("{fault} {fault:?}").contains("FIVEMINUTES"), "{fault:?}");
}

#[tokio::test]
async fn a_redirect_is_followed_within_the_api_and_nowhere_else() {
    let Some(test) = test("redirects") else { return };
    let moved = format!("{}/repos/octo-org/octo.app/pulls/17", test.github.api());
    test.github.faults().on("GET /pulls/99", [Fault::redirect(301, moved)]);
    let pull = test.client.pull_request(NAME, 99, &within(seconds(30))).await;
    assert_eq!(pull.expect("it has moved").number, 17);

    // A listener of somebody else, who would like to have the credential.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.set_nonblocking(true).expect("not to wait for it");
    let elsewhere = format!(
        "http://{}/repos/octo-org/octo.app/statuses/{SHA}",
        listener.local_addr().expect("it")
    );
    for path in [elsewhere.as_str(), "//evil.example/repos/x", "/_codeload/octo-org"] {
        test.github.faults().on("POST /statuses", [Fault::redirect(307, path)]);
        let fault = test.set_status(seconds(5)).await.expect_err("it is not followed");
        assert!(fault.to_string().contains("it redirects elsewhere"), "{fault}");
    }
    assert!(listener.accept().is_err(), "somebody else was asked");
}
