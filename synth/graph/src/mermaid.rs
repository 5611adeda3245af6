//! [`Graph`] → Mermaid text, which GitHub draws in comments and Markdown files; see <https://mermaid.js.org/syntax/flowchart.html>.

use std::fmt::Write;

use super::{Graph, Kind, Node, Transition, shortened};

const LONGEST_LABEL: usize = 80;
const STYLES: &str = "
  classDef task fill:#eaf1fd,stroke:#3b6fb6,color:#12263f
  classDef choice fill:#fff4da,stroke:#b98513,color:#3d2c05
  classDef wait fill:#f1eefb,stroke:#7359b6,color:#2a1f4a
  classDef pass fill:#f2f4f7,stroke:#7a8699,color:#1d2733
  classDef succeed fill:#e6f6ea,stroke:#2f8f4e,color:#0f3a1d
  classDef fail fill:#fdeaea,stroke:#c23b3b,color:#4a1212
  classDef stack fill:#eaf1fd,stroke:#3b6fb6,color:#12263f
";

/// Renders a drawing.
pub fn text(graph: &Graph) -> String {
    let mut text = "flowchart TD\n".to_owned();
    let mut next = 0;
    render(graph, 1, &mut next, &mut text);
    text.push_str(STYLES.trim_start_matches('\n'));
    text
}

fn render(graph: &Graph, depth: usize, next: &mut usize, text: &mut String) {
    let indent = "  ".repeat(depth);
    let mut ids = Vec::new();
    for node in &graph.nodes {
        *next += 1;
        let id = format!("s{next}");
        // Writing into a String does not fail.
        let _ = match &node.inner {
            Some(inner) => {
                let _ = writeln!(text, "{indent}subgraph {id}[{}]\n{indent}  direction TB", label(node));
                render(inner, depth + 1, next, text);
                writeln!(text, "{indent}end")
            }
            None => writeln!(text, "{indent}{id}{}", shape(node)),
        };
        ids.push(id);
    }
    for edge in &graph.edges {
        let (from, to) = (&ids[edge.from], &ids[edge.to]);
        let arrow = match edge.kind {
            Transition::Next => "-->",
            Transition::Catch => "-.->",
        };
        let labels: Vec<String> = edge.labels.iter().map(|line| quoted(line)).collect();
        let _ = if labels.is_empty() {
            writeln!(text, "{indent}{from} {arrow} {to}")
        } else {
            writeln!(text, "{indent}{from} {arrow}|\"{}\"| {to}", labels.join("<br/>"))
        };
    }
}

fn shape(node: &Node) -> String {
    let class = node.kind.class();
    match node.kind {
        Kind::Start => "((\" \"))".to_owned(),
        Kind::End => "(((\" \")))".to_owned(),
        Kind::Choice => format!("{{{{{}}}}}:::{class}", label(node)),
        Kind::Wait | Kind::Succeed | Kind::Fail => format!("([{}]):::{class}", label(node)),
        Kind::Task | Kind::Pass | Kind::Group | Kind::Stack => format!("[{}]:::{class}", label(node)),
    }
}

fn label(node: &Node) -> String {
    let lines: Vec<String> = std::iter::once(&node.label)
        .chain(&node.details)
        .map(|line| quoted(line))
        .collect();
    format!("\"{}\"", lines.join("<br/>"))
}

/// Text within Mermaid's quotes, which knows entities by `#` instead of `&`.
fn quoted(text: &str) -> String {
    let mut quoted = String::new();
    for character in shortened(text, LONGEST_LABEL).chars() {
        match character {
            '#' | '"' | '<' | '>' | '&' | '`' => {
                let _ = write!(quoted, "#{};", u32::from(character));
            }
            other => quoted.push(other),
        }
    }
    quoted
}
