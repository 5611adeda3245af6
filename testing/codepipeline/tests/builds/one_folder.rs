//! Builds that have one folder, one after the other.

use std::sync::Arc;

use codepipeline_local::{ShellBuilder, archive};

use crate::bench::Bench;

#[test]
fn what_two_sources_have_in_common_keeps_its_time_and_the_rest_is_as_in_the_second() {
    let mut bench = Bench::new(
        "version: 0.2\nphases: { build: { commands: ['stat -c \"%n %y\" data', 'ls', 'cat tool', 'touch left', 'pwd'] } }\n",
    );
    let builder = ShellBuilder::new(bench.root.path()).in_one_folder();
    let first = bench.run_with(&builder).output;
    bench.lines.lock().unwrap().clear();
    bench.request.inputs[0].archive = Arc::new(archive::of_files([("data", "hello\n".as_bytes()), ("tool", b"new\n")]).unwrap());
    let second = bench.run_with(&builder).output;
    assert_eq!(first[0], second[0], "an unchanged file has another time");
    assert_eq!(first.last(), second.last(), "the folder is another one");
    assert_eq!(&second[1..4], ["data", "tool", "new"], "the first build has left something");
}

#[test]
fn builds_wait_for_their_turn() {
    let bench = Bench::new(
        "version: 0.2\nphases: { build: { commands: ['mkdir ../alone && sleep 0.1 && rmdir ../alone && echo alone'] } }\n",
    );
    let builder = ShellBuilder::new(bench.root.path()).in_one_folder();
    let mut running: Vec<_> = (0..3).map(|_| bench.start(&builder)).collect();
    for build in &mut running {
        bench.wait(&mut **build);
    }
    assert_eq!(bench.output(), ["alone"; 3]);
}
