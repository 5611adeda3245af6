//! A drawing as a page that needs no network: open the file, drag to move, turn the wheel to zoom.

use super::{Graph, escaped, svg};

const PAGE: &str = include_str!("page.html");

/// Renders a drawing.
pub fn text(graph: &Graph, title: &str) -> String {
    PAGE.replace("{{title}}", &escaped(title))
        .replace("{{drawing}}", svg::text(graph, title).trim_end())
}
