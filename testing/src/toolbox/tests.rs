use std::{
    io::{Read, Write},
    net::TcpListener,
    process::{Command, Output},
    thread,
};

use super::*;
use crate::or_skip;

fn toolbox() -> Option<Toolbox> {
    or_skip("the commands of builds", Toolbox::install())
}

fn bash(toolbox: &Toolbox, folder: &Path, script: &str) -> Output {
    Command::new("bash")
        .args(["-euo", "pipefail", "-c", script])
        .current_dir(folder)
        .env_clear()
        .env("HOME", folder)
        .envs(toolbox.variables())
        .output()
        .unwrap()
}

fn printed(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{text}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    text
}

#[test]
fn every_command_is_found_before_the_machines_own_and_cargo_is_the_machines() {
    let Some(toolbox) = toolbox() else { return };
    let folder = tempfile::tempdir().unwrap();
    let names = COMMANDS.map(|(name, _)| name).join(" ");
    let found = printed(&bash(
        &toolbox,
        folder.path(),
        &format!("type -P {names}; type -P cargo >&2"),
    ));
    let commands = toolbox.commands();
    for line in found.lines() {
        assert!(Path::new(line).starts_with(&commands), "{line}");
    }
    assert_eq!(found.lines().count(), COMMANDS.len());
    assert!(!commands.join("cargo").exists());
}

#[test]
fn jq_answers_as_jq_does() {
    let Some(toolbox) = toolbox() else { return };
    let folder = tempfile::tempdir().unwrap();
    let table = [
        (
            "jq . <<<'{\"a\":[1,2.5,\"é\\\"\"],\"b\":{}}'",
            "{\n  \"a\": [\n    1,\n    2.5,\n    \"é\\\"\"\n  ],\n  \"b\": {}\n}\n",
        ),
        (
            "jq --raw-output .a <<<'{\"a\":\"two\\nlines\"}{\"a\":1}'",
            "two\nlines\n1\n",
        ),
        (
            "NAME=x jq --null-input '{(env.NAME): env.NONE}'",
            "{\n  \"x\": null\n}\n",
        ),
        ("jq -c --arg key a '.[$key]' <<<'{\"a\":{\"b\":1}}'", "{\"b\":1}\n"),
        ("jq --raw-output '[.x, .y] | @tsv' <<<'{\"x\":\"1\",\"y\":2}'", "1\t2\n"),
        ("jq --exit-status .a <<<'{\"a\":null}' || echo $?", "null\n1\n"),
        ("jq --exit-status 'empty' <<<'1' || echo $?", "4\n"),
        ("jq . <<<'{' 2>/dev/null || echo $?", "5\n"),
        ("jq 'error(\"no\")' <<<1 2>/dev/null || echo $?", "5\n"),
        ("jq '.[' <<<1 2>/dev/null || echo $?", "3\n"),
        (
            "jq --slurp . <<<1 2>&1 || echo $?",
            "jq: option --slurp is not supported here; supported are --compact-output --exit-status --null-input --raw-output -c -e -n -r\n2\n",
        ),
    ];
    for (script, expected) in table {
        assert_eq!(printed(&bash(&toolbox, folder.path(), script)), expected, "{script}");
    }
}

#[test]
fn an_archive_holds_each_file_with_its_mode_and_content() {
    let Some(toolbox) = toolbox() else { return };
    let folder = tempfile::tempdir().unwrap();
    let script = "mkdir -p deep/er && printf code > deep/bootstrap && chmod 755 deep/bootstrap && printf text > deep/er/note && chmod 640 deep/er/note
        zip --junk-paths flat.zip deep/bootstrap && zip -qr whole.zip deep && zip -q whole.zip deep/er/note
        python3 - flat.zip whole.zip <<'END'
import sys, zipfile
for name in sys.argv[1:]:
    with zipfile.ZipFile(name) as archive:
        assert archive.testzip() is None
        for entry in archive.infolist():
            print(name, entry.filename, oct(entry.external_attr >> 16), archive.read(entry).decode())
END
        zip none.zip missing 2>&1 || echo $?";
    let expected = "  flat.zip: 1 entries
flat.zip bootstrap 0o100755 code
whole.zip deep/ 0o40755 
whole.zip deep/bootstrap 0o100755 code
whole.zip deep/er/ 0o40755 
whole.zip deep/er/note 0o100640 text
zip: missing is not there
12
";
    assert_eq!(printed(&bash(&toolbox, folder.path(), script)), expected);
}

#[test]
fn a_checksum_that_is_wrong_stops_a_build() {
    let Some(toolbox) = toolbox() else { return };
    let folder = tempfile::tempdir().unwrap();
    let script = "printf abc > file && sha256sum file | tee sum && sha256sum --check sum
        printf abd > file && sha256sum --check sum 2>/dev/null || echo $?; printf abc | sha256sum | cut -c 1-8";
    let expected =
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  file\nfile: OK\nfile: FAILED\n1\nba7816bf\n";
    assert_eq!(printed(&bash(&toolbox, folder.path(), script)), expected);
}

#[test]
fn nothing_but_loopback_is_reached() {
    let Some(toolbox) = toolbox() else { return };
    let folder = tempfile::tempdir().unwrap();
    let refused = bash(&toolbox, folder.path(), "curl --silent https://example.com/tool.tar.gz");
    assert_eq!(refused.status.code(), Some(6));
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        said.contains("https://example.com/tool.tar.gz is not reached from here") && said.contains("help: "),
        "{said}"
    );

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = thread::spawn(move || {
        let (mut connection, _) = listener.accept().unwrap();
        let mut asked = [0; 4096];
        let length = connection.read(&mut asked).unwrap();
        connection
            .write_all(b"HTTP/1.1 404 No\r\ncontent-length: 4\r\nconnection: close\r\n\r\nnone")
            .unwrap();
        String::from_utf8_lossy(&asked[..length]).into_owned()
    });
    let script = format!("curl --silent --header 'Authorization: token' 'http://127.0.0.1:{port}/items?a=1'");
    assert_eq!(printed(&bash(&toolbox, folder.path(), &script)), "none");
    let asked = server.join().unwrap();
    assert!(
        asked.starts_with("GET /items?a=1 HTTP/1.1\r\n") && asked.contains("\r\nAuthorization: token\r\n"),
        "{asked}"
    );
    let script = format!("curl --silent http://127.0.0.1:{port} 2>/dev/null || echo $?");
    assert_eq!(
        printed(&bash(&toolbox, folder.path(), &script)),
        "7\n",
        "nobody listens"
    );
}

#[test]
fn java_runs_nothing_but_the_local_dynamodb() {
    let Some(toolbox) = toolbox() else { return };
    let folder = tempfile::tempdir().unwrap();
    for script in [
        "java -version",
        "java -jar other.jar",
        "java -jar DynamoDBLocal.jar -port 1",
    ] {
        let refused = bash(&toolbox, folder.path(), script);
        assert_eq!(refused.status.code(), Some(2), "{script}");
    }
}

#[test]
fn a_build_sees_no_credentials_and_no_settings_of_the_user() {
    let Some(toolbox) = toolbox() else { return };
    let variables = toolbox.variables();
    assert_eq!(variables.get("HOME"), None, "each build has one of its own");
    let secret = |name: &&String| {
        name.starts_with("AWS_") && !["AWS_EC2_METADATA_DISABLED", "AWS_PAGER"].contains(&name.as_str())
    };
    assert_eq!(variables.keys().find(secret), None);
    assert!(
        variables.keys().all(|name| !name.starts_with("GITHUB")),
        "{variables:?}"
    );
}
