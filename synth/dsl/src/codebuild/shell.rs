//! Which variables a shell command reads and which it sets, in order.
//!
//! This reads the grammar of POSIX shells and the parts of Bash that buildspecs use. Where a script sets a variable in a way
//! that cannot be seen (`eval`, a sourced file), the buildspec says so with `Buildspec::sourced`.

/// What a command does with a variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Use {
    /// Its value is asked for.
    Read(String),
    /// It is given a value.
    Set(String),
}

/// The uses of variables in a script, in the order in which the shell comes by them.
pub(super) fn uses(script: &str) -> Vec<Use> {
    let mut scanner = Scanner {
        text: script.chars().collect(),
        at: 0,
        uses: Vec::new(),
        documents: Vec::new(),
    };
    scanner.script(None);
    scanner.uses
}

struct Scanner {
    text: Vec<char>,
    at: usize,
    uses: Vec<Use>,
    /// Here-documents whose bodies follow the line.
    documents: Vec<Document>,
}

/// `<<EOF`: the delimiter, whether it was quoted, and whether leading tabs are dropped.
struct Document {
    delimiter: String,
    quoted: bool,
    tabs: bool,
}

/// What the words after a command's first one mean.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Arguments {
    Plain,
    /// `export`: assignments, and names that are read.
    Exported,
    /// `local`, `declare`, `readonly`, `typeset`: assignments, and names that are declared.
    Declared,
    /// `for`: one name, then plain words.
    Loop,
    /// `read`, `mapfile`, `readarray`: names.
    Filled,
    /// `getopts`: an option string, then a name.
    Options,
    /// `printf`: a name after `-v`.
    Printed,
}

/// Words after which a command begins anew.
const OPENING: [&str; 10] = ["if", "then", "elif", "else", "while", "until", "do", "!", "{", "time"];

/// Options of `read` and `mapfile` whose next word could be taken for a name and is none.
const VALUED: [&str; 5] = ["-d", "-i", "-p", "-rp", "-C"];

impl Scanner {
    fn peek(&self) -> Option<char> {
        self.text.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let character = self.peek()?;
        self.at += 1;
        Some(character)
    }

    fn starts(&self, text: &str) -> bool {
        text.chars()
            .enumerate()
            .all(|(offset, character)| self.text.get(self.at + offset) == Some(&character))
    }

    /// Commands up to the closing character, which is taken, or to the end.
    fn script(&mut self, closing: Option<char>) {
        let mut first = true;
        let mut arguments = Arguments::Plain;
        let mut before = String::new();
        while let Some(character) = self.peek() {
            match character {
                _ if Some(character) == closing => {
                    self.at += 1;
                    return;
                }
                '\n' => {
                    self.at += 1;
                    self.bodies();
                    (first, arguments) = (true, Arguments::Plain);
                }
                ';' | '&' | '|' | '(' | ')' => {
                    self.at += 1;
                    (first, arguments) = (true, Arguments::Plain);
                }
                '#' => {
                    while self.peek().is_some_and(|character| character != '\n') {
                        self.at += 1
                    }
                }
                '<' | '>' => self.redirection(),
                character if character.is_whitespace() => self.at += 1,
                '\\' if self.starts("\\\n") => self.at += 2,
                _ => {
                    let start = self.uses.len();
                    let assigned =
                        self.assignment(first || matches!(arguments, Arguments::Exported | Arguments::Declared));
                    let word = self.word(closing);
                    if let Some(name) = assigned {
                        self.uses.push(Use::Set(name));
                    } else if first {
                        arguments = arguments_of(&word);
                        first = OPENING.contains(&word.as_str());
                    } else {
                        arguments = self.argument(arguments, &word, &before, start);
                    }
                    before = word;
                }
            }
        }
    }

    /// What one word after the first does; returns what the words after it mean.
    fn argument(&mut self, arguments: Arguments, word: &str, before: &str, start: usize) -> Arguments {
        let name = || is_name(word).then(|| word.to_owned());
        match arguments {
            Arguments::Exported => self.uses.extend(name().map(Use::Read)),
            Arguments::Declared => self.uses.extend(name().map(Use::Set)),
            Arguments::Filled if !VALUED.contains(&before) => self.uses.extend(name().map(Use::Set)),
            Arguments::Loop => {
                let name = name().map(Use::Set);
                self.uses.splice(start..start, name);
                return Arguments::Plain;
            }
            Arguments::Options if before != "getopts" => self.uses.extend(name().map(Use::Set)),
            Arguments::Printed if before == "-v" => self.uses.extend(name().map(Use::Set)),
            _ => {}
        }
        arguments
    }

    /// `<<EOF` and its kin; every other redirection is followed by an ordinary word.
    fn redirection(&mut self) {
        if self.starts("<<<") {
            self.at += 3;
        } else if self.starts("<<") {
            self.at += 2;
            let tabs = self.peek() == Some('-');
            if tabs {
                self.at += 1;
            }
            while self.peek() == Some(' ') {
                self.at += 1;
            }
            let mut quoted = false;
            let mut delimiter = String::new();
            while let Some(character) = self
                .peek()
                .filter(|character| !character.is_whitespace() && !";&|<>()".contains(*character))
            {
                self.at += 1;
                if matches!(character, '\'' | '"' | '\\') {
                    quoted = true;
                } else {
                    delimiter.push(character);
                }
            }
            self.documents.push(Document {
                delimiter,
                quoted,
                tabs,
            });
        } else {
            self.at += 1;
            if self.peek() == Some('(') {
                self.at += 1;
                self.script(Some(')'));
            }
        }
    }

    /// The bodies of the here-documents that the line before has announced.
    fn bodies(&mut self) {
        for document in std::mem::take(&mut self.documents) {
            while self.at < self.text.len() {
                let end = self.text[self.at..]
                    .iter()
                    .position(|character| *character == '\n')
                    .map_or(self.text.len(), |end| self.at + end);
                let line: String = self.text[self.at..end].iter().collect();
                let line = if document.tabs {
                    line.trim_start_matches('\t')
                } else {
                    &line
                };
                if line == document.delimiter {
                    self.at = (end + 1).min(self.text.len());
                    break;
                }
                while !document.quoted && self.at < end {
                    self.quoted_character();
                }
                self.at = self.at.max((end + 1).min(self.text.len()));
            }
        }
    }

    /// Takes `NAME=`, `NAME+=` or `NAME[…]=` if it stands here and assignments count.
    fn assignment(&mut self, counts: bool) -> Option<String> {
        let rest = &self.text[self.at..];
        let length = rest
            .iter()
            .take_while(|character| character.is_ascii_alphanumeric() || **character == '_')
            .count();
        let name: String = rest[..length].iter().collect();
        if !counts || !is_name(&name) {
            return None;
        }
        let mut end = length;
        if rest.get(end) == Some(&'[') {
            end += rest[end..].iter().position(|character| *character == ']')? + 1;
        }
        if rest.get(end) == Some(&'+') {
            end += 1;
        }
        if rest.get(end) != Some(&'=') {
            return None;
        }
        self.at += end + 1;
        if self.peek() == Some('(') {
            self.at += 1;
            self.script(Some(')'));
        }
        Some(name)
    }

    /// One word; returns what of it is literal.
    fn word(&mut self, closing: Option<char>) -> String {
        let mut literal = String::new();
        while let Some(character) = self.peek() {
            if character.is_whitespace() || ";&|<>()".contains(character) || Some(character) == closing {
                break;
            }
            match character {
                '\'' => {
                    self.at += 1;
                    while let Some(character) = self.next().filter(|character| *character != '\'') {
                        literal.push(character);
                    }
                }
                '"' => {
                    self.at += 1;
                    while self.peek().is_some_and(|character| character != '"') {
                        self.quoted_character();
                    }
                    self.at += 1;
                }
                '\\' => self.at += 2,
                '$' if self.starts("$'") => self.ansi_quoted(),
                '$' | '`' => self.quoted_character(),
                _ => {
                    literal.push(character);
                    self.at += 1;
                }
            }
        }
        literal
    }

    /// `$'…'`, in which only backslashes count.
    fn ansi_quoted(&mut self) {
        self.at += 2;
        while let Some(character) = self.next().filter(|character| *character != '\'') {
            self.at += usize::from(character == '\\');
        }
    }

    /// One character of text in which `\`, `$` and the backtick count and quotes do not.
    fn quoted_character(&mut self) {
        match self.next() {
            Some('\\') => self.at += 1,
            Some('$') => self.expansion(),
            Some('`') => self.script(Some('`')),
            _ => {}
        }
    }

    /// What follows a `$`.
    fn expansion(&mut self) {
        match self.peek() {
            Some('(') if self.starts("((") => {
                while self.at < self.text.len() && !self.starts("))") {
                    self.quoted_character();
                }
                self.at += 2;
            }
            Some('(') => {
                self.at += 1;
                self.script(Some(')'));
            }
            Some('{') => {
                self.at += 1;
                self.braces();
            }
            Some(first) if first.is_ascii_alphabetic() || first == '_' => {
                let name = self.name();
                self.uses.extend((name != "_").then_some(Use::Read(name)));
            }
            // `$1`, `$@`, `$?` and the like are the shell's own.
            Some(character) if character.is_ascii_digit() || "@*#?-$!".contains(character) => self.at += 1,
            _ => {}
        }
    }

    /// `${NAME}` with its operators: `:=` sets, `+` only asks whether the variable is there, all others read.
    fn braces(&mut self) {
        if matches!(self.peek(), Some('#' | '!')) && self.text.get(self.at + 1).is_some_and(|next| *next != '}') {
            self.at += 1;
        }
        let name = self.name();
        let operator: String = self.text[self.at.min(self.text.len())..].iter().take(2).collect();
        if is_name(&name) && name != "_" {
            if operator.starts_with(":=") || operator.starts_with('=') {
                self.uses.push(Use::Set(name));
            } else if !operator.starts_with(":+") && !operator.starts_with('+') {
                self.uses.push(Use::Read(name));
            }
        }
        while self.peek().is_some_and(|character| character != '}') {
            self.quoted_character();
        }
        self.at += 1;
    }

    fn name(&mut self) -> String {
        let start = self.at;
        while self
            .peek()
            .is_some_and(|character| character.is_ascii_alphanumeric() || character == '_')
        {
            self.at += 1;
        }
        self.text[start..self.at].iter().collect()
    }
}

fn is_name(word: &str) -> bool {
    !word.is_empty()
        && !word.starts_with(|first: char| first.is_ascii_digit())
        && word
            .chars()
            .all(|character| character.is_ascii_alphanumeric() || character == '_')
}

fn arguments_of(command: &str) -> Arguments {
    match command {
        "export" => Arguments::Exported,
        "local" | "declare" | "readonly" | "typeset" => Arguments::Declared,
        "for" | "select" => Arguments::Loop,
        "read" | "mapfile" | "readarray" => Arguments::Filled,
        "getopts" => Arguments::Options,
        "printf" => Arguments::Printed,
        _ => Arguments::Plain,
    }
}

#[cfg(test)]
mod tests {
    use super::{Use, uses};

    fn reads(script: &str) -> Vec<String> {
        uses(script)
            .into_iter()
            .filter_map(|use_| if let Use::Read(name) = use_ { Some(name) } else { None })
            .collect()
    }

    fn sets(script: &str) -> Vec<String> {
        uses(script)
            .into_iter()
            .filter_map(|use_| if let Use::Set(name) = use_ { Some(name) } else { None })
            .collect()
    }

    #[test]
    fn every_form_of_a_read_is_seen() {
        assert_eq!(
            reads("echo $A \"${B}\" ${C:-none} ${#D} ${E%.zip} ${F:?missing}"),
            ["A", "B", "C", "D", "E", "F"]
        );
        assert_eq!(
            reads("echo \"it's $A\" \"$(cat \"$B\")\" `cat $C` $((1 + $D))"),
            ["A", "B", "C", "D"]
        );
        assert_eq!(reads("echo ${A:-${B}} ${C:+there} ${D+there}"), ["A", "B"]);
        assert_eq!(reads("diff <(sort $A) <(sort $B) > $C"), ["A", "B", "C"]);
    }

    #[test]
    fn what_the_shell_does_not_expand_is_not_read() {
        assert_eq!(
            reads("awk '{print $NF}' \\$A \"\\$B\" $'\\$C' $1 $@ $? $$ $# ${1} ${@} $_"),
            Vec::<String>::new()
        );
        assert_eq!(reads("echo done # costs $5 or $MONEY"), Vec::<String>::new());
        assert_eq!(reads("echo $A#not-a-comment $B"), ["A", "B"]);
        assert_eq!(reads("cat <<'EOF' > f\n$A it's\nEOF\necho $B"), ["B"]);
    }

    #[test]
    fn here_documents_expand_unless_quoted() {
        assert_eq!(reads("cat <<EOF\n\"$A\" it's ${B}\nEOF\necho $C"), ["A", "B", "C"]);
        assert_eq!(reads("cat <<-END\n\t$A\n\tEND\necho $B"), ["A", "B"]);
    }

    #[test]
    fn every_form_of_setting_is_seen() {
        assert_eq!(
            sets("A=1 B=\"$X\" run; export C=2; readonly D=3; E+=x; F[0]=y; G=(a b)"),
            ["A", "B", "C", "D", "E", "F", "G"]
        );
        assert_eq!(sets("for A in a b; do read -r B C; done"), ["A", "B", "C"]);
        assert_eq!(sets("if true; then A=1; else B=2; fi && { C=3; }"), ["A", "B", "C"]);
        assert_eq!(
            sets("read -p prompt A; mapfile -t B; printf -v C x; getopts ab D; : ${E:=1}"),
            ["A", "B", "C", "D", "E"]
        );
        assert_eq!(
            sets("docker run -e A=1 image; make B=2; [ \"$C\" = D=3 ]"),
            Vec::<String>::new()
        );
    }

    #[test]
    fn an_export_without_a_value_reads() {
        assert_eq!(
            uses("A=1; export A B"),
            [Use::Set("A".into()), Use::Read("A".into()), Use::Read("B".into())]
        );
    }

    #[test]
    fn a_value_is_read_before_its_variable_is_set() {
        assert_eq!(
            uses("PATH=$TOOLS:$PATH"),
            [
                Use::Read("TOOLS".into()),
                Use::Read("PATH".into()),
                Use::Set("PATH".into())
            ]
        );
    }

    #[test]
    fn broken_scripts_end() {
        for script in [
            "echo \"$A",
            "echo ${A",
            "$(",
            "'",
            "\\",
            "cat <<EOF\n$A",
            "`",
            "$((",
            "${",
            "A=(",
        ] {
            let _ = uses(script);
        }
    }
}
