//! A build's log: a file, and whoever listens.

use std::{
    fs::File,
    io::{self, Write as _},
    path::PathBuf,
    sync::Arc,
    time::SystemTime,
};

use time::OffsetDateTime;

pub(super) struct Log {
    pub(super) path: PathBuf,
    file: File,
    listener: Arc<dyn Fn(&str) + Send + Sync>,
}

impl Log {
    pub(super) fn create(path: PathBuf, listener: Arc<dyn Fn(&str) + Send + Sync>) -> io::Result<Self> {
        Ok(Self {
            file: File::create(&path)?,
            path,
            listener,
        })
    }

    /// A line that a command has written.
    pub(super) fn line(&mut self, line: &str) {
        // A full disk must not end the build: the listener still has the line.
        drop(writeln!(self.file, "{line}"));
        (self.listener)(line);
    }

    /// A line of CodeBuild's own.
    pub(super) fn say(&mut self, words: &str) {
        let line = format!("[Container] {} {words}", stamp(SystemTime::now()));
        self.line(&line);
    }
}

fn stamp(time: SystemTime) -> String {
    let time = OffsetDateTime::from(time);
    format!(
        "{}/{:02}/{:02} {:02}:{:02}:{:02}.{:06}",
        time.year(),
        u8::from(time.month()),
        time.day(),
        time.hour(),
        time.minute(),
        time.second(),
        time.microsecond()
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_stamp_is_written_as_codebuild_writes_it() {
        let time = SystemTime::UNIX_EPOCH + Duration::from_micros(1_635_619_446_004_500);
        assert_eq!(stamp(time), "2021/10/30 18:44:06.004500");
    }
}
