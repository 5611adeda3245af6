//! The grammar of paths.

use super::{
    Base, Path, Step,
    filter::{self, Filter},
};

/// Reads a text from its start.
pub(super) struct Reader<'t> {
    pub(super) rest: &'t str,
}

impl<'t> Reader<'t> {
    pub(super) fn skip_spaces(&mut self) {
        self.rest = self.rest.trim_start();
    }

    pub(super) fn eat(&mut self, mark: &str) -> bool {
        match self.rest.strip_prefix(mark) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    pub(super) fn expect(&mut self, mark: &str) -> Result<(), String> {
        if self.eat(mark) {
            Ok(())
        } else {
            Err(format!("{mark:?} is due before {:?}", self.rest))
        }
    }

    pub(super) fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'t str {
        let end = self
            .rest
            .find(|character| !wanted(character))
            .unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }

    /// A text in quotes of either kind, in which a backslash stands before what is meant as it is.
    pub(super) fn quoted(&mut self) -> Result<Option<String>, String> {
        let Some(quote) = self.rest.chars().next().filter(|first| matches!(first, '\'' | '"')) else {
            return Ok(None);
        };
        let mut text = String::new();
        let mut characters = self.rest.char_indices().skip(1);
        while let Some((index, character)) = characters.next() {
            match character {
                '\\' => text.extend(characters.next().map(|(_, escaped)| escaped)),
                _ if character == quote => {
                    self.rest = &self.rest[index + 1..];
                    return Ok(Some(text));
                }
                _ => text.push(character),
            }
        }
        Err(format!("the text {} has no end", self.rest))
    }

    /// A name in quotes of either kind, as it is written: a backslash keeps a quote from ending it, and is part of the name.
    fn quoted_name(&mut self) -> Result<Option<String>, String> {
        let Some(quote) = self.rest.chars().next().filter(|first| matches!(first, '\'' | '"')) else {
            return Ok(None);
        };
        let mut escaped = false;
        for (index, character) in self.rest.char_indices().skip(1) {
            match character {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                _ if character == quote => {
                    let name = self.rest[1..index].to_owned();
                    self.rest = &self.rest[index + 1..];
                    return Ok(Some(name));
                }
                _ => {}
            }
        }
        Err(format!("the name {} has no end", self.rest))
    }

    pub(super) fn integer(&mut self) -> Result<Option<i64>, String> {
        let text = self.take_while(|character| character.is_ascii_digit() || character == '-');
        if text.is_empty() {
            return Ok(None);
        }
        text.parse().map(Some).map_err(|_| format!("{text:?} is no index"))
    }
}

fn in_name(character: char) -> bool {
    !matches!(
        character,
        '.' | '['
            | ']'
            | '('
            | ')'
            | ','
            | '\''
            | '"'
            | '='
            | '!'
            | '<'
            | '>'
            | '&'
            | '|'
            | '~'
            | '?'
            | '@'
            | '$'
            | '*'
    ) && !character.is_whitespace()
}

pub(super) fn path(text: &str) -> Result<Path, String> {
    let mut reader = Reader { rest: text };
    let base = base(&mut reader)?;
    let steps = steps(&mut reader)?;
    if !reader.rest.is_empty() {
        return Err(format!("the path {text:?} is not supported from {:?} on", reader.rest));
    }
    Ok(Path {
        text: text.to_owned(),
        base,
        steps,
    })
}

fn base(reader: &mut Reader<'_>) -> Result<Base, String> {
    reader.expect("$")?;
    if reader.eat("$") {
        return Ok(Base::Context);
    }
    let name = reader.take_while(in_name);
    Ok(if name.is_empty() {
        Base::Root
    } else {
        Base::Variable(name.to_owned())
    })
}

/// As many steps as there are.
pub(super) fn steps(reader: &mut Reader<'_>) -> Result<Vec<Step>, String> {
    let mut steps = Vec::new();
    loop {
        if reader.eat("..") {
            steps.push(Step::Descend);
            if !reader.rest.starts_with('[') {
                steps.push(name(reader)?);
            }
        } else if reader.eat(".") {
            steps.push(name(reader)?);
        } else if reader.eat("[") {
            steps.push(bracket(reader)?);
        } else {
            return Ok(steps);
        }
    }
}

fn name(reader: &mut Reader<'_>) -> Result<Step, String> {
    if reader.eat("*") {
        return Ok(Step::All);
    }
    let name = reader.take_while(in_name);
    if name.is_empty() {
        return Err(format!("a name is due before {:?}", reader.rest));
    }
    if reader.rest.starts_with('(') {
        return Err(format!("the function {name}() in a path is not supported"));
    }
    Ok(Step::Name(name.to_owned()))
}

fn bracket(reader: &mut Reader<'_>) -> Result<Step, String> {
    reader.skip_spaces();
    let step = if reader.eat("*") {
        Step::All
    } else if reader.eat("?") {
        Step::Filter(filtered(reader)?)
    } else if let Some(first) = reader.quoted_name()? {
        names(reader, first)?
    } else {
        positions(reader)?
    };
    reader.skip_spaces();
    reader.expect("]")?;
    Ok(step)
}

fn filtered(reader: &mut Reader<'_>) -> Result<Filter, String> {
    reader.skip_spaces();
    reader.expect("(")?;
    let filter = filter::either(reader)?;
    reader.skip_spaces();
    reader.expect(")")?;
    Ok(filter)
}

fn names(reader: &mut Reader<'_>, first: String) -> Result<Step, String> {
    let mut names = vec![first];
    loop {
        reader.skip_spaces();
        if !reader.eat(",") {
            break;
        }
        reader.skip_spaces();
        names.push(reader.quoted_name()?.ok_or("a name in quotes is due")?);
    }
    Ok(match <[String; 1]>::try_from(names) {
        Ok([name]) => Step::Name(name),
        Err(names) => Step::Names(names),
    })
}

fn positions(reader: &mut Reader<'_>) -> Result<Step, String> {
    let first = reader.integer()?;
    reader.skip_spaces();
    if reader.eat(":") {
        let to = reader.integer()?;
        let by = if reader.eat(":") { reader.integer()? } else { None };
        let by = by.unwrap_or(1);
        if by < 1 {
            return Err("a slice that does not go forward is not supported".to_owned());
        }
        return Ok(Step::Slice { from: first, to, by });
    }
    let Some(first) = first else {
        return Err(format!("an index is due before {:?}", reader.rest));
    };
    let mut indices = vec![first];
    while reader.eat(",") {
        reader.skip_spaces();
        indices.push(reader.integer()?.ok_or("an index is due")?);
        reader.skip_spaces();
    }
    Ok(match indices.as_slice() {
        [index] => Step::Index(*index),
        _ => Step::Indices(indices),
    })
}
