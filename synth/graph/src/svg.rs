//! [`Graph`] → SVG that shows the same in every viewer: no scripts, no fonts to load, no style variables.

use std::fmt::Write;

use super::layout::{Arrow, Layout, Point, Size, layout};
use super::{Edge, Graph, Kind, Mark, Node, Transition, escaped, shortened};

const FONT: f64 = 13.0;
const SMALL: f64 = 11.0;
const LINE: f64 = 15.0;
const MARGIN: f64 = 24.0;
const PADDING: f64 = 16.0;
const LONGEST_LABEL: usize = 46;
const LONGEST_DETAIL: usize = 40;
/// How far the sides of a choice reach out.
const POINT: f64 = 12.0;
const DOT: f64 = 9.0;

const STYLE: &str = "\
text { font-family: system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif; fill: #1d2733; }
.name { font-size: 13px; font-weight: 600; }
.detail { font-size: 11px; fill: #5b6777; }
.label { font-size: 11px; fill: #3d4856; }
.back { fill: #ffffff; }
.shape { stroke-width: 1.25; }
.task, .stack { fill: #eaf1fd; stroke: #3b6fb6; }
.choice { fill: #fff4da; stroke: #b98513; }
.wait { fill: #f1eefb; stroke: #7359b6; }
.pass { fill: #f2f4f7; stroke: #7a8699; }
.succeed { fill: #e6f6ea; stroke: #2f8f4e; }
.fail { fill: #fdeaea; stroke: #c23b3b; }
.group { fill: #f8fafc; stroke: #94a3b8; stroke-dasharray: 5 4; }
.start { fill: #3d4856; stroke: #3d4856; }
.end { fill: #ffffff; stroke: #3d4856; }
.next { fill: none; stroke: #5b6777; stroke-width: 1.4; }
.catch { fill: none; stroke: #c23b3b; stroke-width: 1.2; stroke-dasharray: 5 4; }
.tip-next { fill: #5b6777; }
.tip-catch { fill: #c23b3b; }
";

/// Where something stands out, the rest fades.
const MARKS: &str = "\
.marked g, .marked .next, .marked .catch { opacity: 0.32; }
.marked g g { opacity: 1; }
.marked g.taken, .marked g.failed, .marked path.taken { opacity: 1; }
.marked g.taken .shape { stroke: #1f7a3d; stroke-width: 2.5; }
.marked g.failed .shape { stroke: #c23b3b; stroke-width: 3; }
.marked path.taken { stroke: #1f7a3d; stroke-width: 2.4; }
";

/// Renders a drawing.
pub fn text(graph: &Graph, title: &str) -> String {
    let placed = Placed::new(graph);
    let (width, height) = (
        placed.layout.size.width + 2.0 * MARGIN,
        placed.layout.size.height + 2.0 * MARGIN,
    );
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" height=\"{height:.0}\" role=\"img\">\n<title>{}</title>\n<style>\n{STYLE}</style>\n<defs>\n",
        escaped(title)
    );
    for kind in ["next", "catch"] {
        // Writing into a String does not fail, here and below.
        let _ = writeln!(
            svg,
            "<marker id=\"{kind}\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" orient=\"auto\" markerUnits=\"userSpaceOnUse\"><path class=\"tip-{kind}\" d=\"M0 0.5 8 4 0 7.5z\"/></marker>"
        );
    }
    let _ = writeln!(
        svg,
        "</defs>\n<rect class=\"back\" width=\"{width:.0}\" height=\"{height:.0}\"/>"
    );
    let marked = graph.is_marked();
    if marked {
        let _ = writeln!(svg, "<style>\n{MARKS}</style>\n<g class=\"marked\">");
    }
    placed.draw(Point { x: MARGIN, y: MARGIN }, &mut svg);
    if marked {
        svg.push_str("</g>\n");
    }
    svg.push_str("</svg>\n");
    svg
}

/// A graph with its layout, and those of the graphs within.
struct Placed<'a> {
    graph: &'a Graph,
    layout: Layout,
    sizes: Vec<Size>,
    inner: Vec<Option<Placed<'a>>>,
}

impl<'a> Placed<'a> {
    fn new(graph: &'a Graph) -> Self {
        let inner: Vec<Option<Self>> = graph
            .nodes
            .iter()
            .map(|node| node.inner.as_ref().map(Self::new))
            .collect();
        let sizes: Vec<Size> = graph
            .nodes
            .iter()
            .zip(&inner)
            .map(|(node, inner)| size(node, inner.as_ref()))
            .collect();
        let arrows: Vec<Arrow> = graph
            .edges
            .iter()
            .map(|edge| Arrow {
                from: edge.from,
                to: edge.to,
                label: label_size(edge),
                weight: if edge.kind == Transition::Next { 8.0 } else { 1.0 },
            })
            .collect();
        Self {
            graph,
            layout: layout(&sizes, &arrows),
            sizes,
            inner,
        }
    }

    fn draw(&self, at: Point, svg: &mut String) {
        let moved = |point: Point| Point {
            x: point.x + at.x,
            y: point.y + at.y,
        };
        for (edge, course) in self.graph.edges.iter().zip(&self.layout.courses) {
            let course: Vec<Point> = course.iter().copied().map(moved).collect();
            draw_arrow(edge, &course, svg);
        }
        for (index, node) in self.graph.nodes.iter().enumerate() {
            let (centre, size) = (moved(self.layout.centres[index]), self.sizes[index]);
            draw_shape(node, centre, size, svg);
            if let Some(inner) = &self.inner[index] {
                let corner = Point {
                    x: centre.x - inner.layout.size.width / 2.0,
                    y: centre.y - size.height / 2.0 + header(node) + PADDING / 2.0,
                };
                inner.draw(corner, svg);
            }
            svg.push_str("</g>\n");
        }
        for (edge, label) in self.graph.edges.iter().zip(&self.layout.labels) {
            if let Some(centre) = label {
                draw_label(edge, moved(*centre), svg);
            }
        }
    }
}

fn size(node: &Node, inner: Option<&Placed<'_>>) -> Size {
    if matches!(node.kind, Kind::Start | Kind::End) {
        return Size {
            width: 2.0 * DOT,
            height: 2.0 * DOT,
        };
    }
    let details = node
        .details
        .iter()
        .map(|line| width(&shortened(line, LONGEST_DETAIL), SMALL));
    let text = details.fold(width(&node.label, FONT) * 1.06, f64::max);
    let sides = if node.kind == Kind::Choice {
        PADDING + POINT
    } else {
        PADDING
    };
    match inner {
        Some(inner) => Size {
            width: (text + 2.0 * PADDING).max(inner.layout.size.width + 2.0 * PADDING),
            height: header(node) + inner.layout.size.height + 1.5 * PADDING,
        },
        None => Size {
            width: (text + 2.0 * sides).max(84.0),
            height: header(node) + PADDING / 2.0,
        },
    }
}

/// The height of a box's name and details.
fn header(node: &Node) -> f64 {
    PADDING / 2.0 + LINE * (1 + node.details.len()) as f64 + 4.0
}

/// An arrow for any error needs no label: its colour and dashes say so.
fn lines(edge: &Edge) -> Vec<String> {
    let said = edge
        .labels
        .iter()
        .filter(|label| edge.kind != Transition::Catch || *label != "any error");
    said.map(|label| shortened(label, LONGEST_LABEL)).collect()
}

fn label_size(edge: &Edge) -> Option<Size> {
    let lines = lines(edge);
    let widest = lines.iter().map(|line| width(line, SMALL)).fold(0.0, f64::max);
    (!lines.is_empty()).then_some(Size {
        width: widest + 10.0,
        height: LINE * lines.len() as f64,
    })
}

fn draw_arrow(edge: &Edge, course: &[Point], svg: &mut String) {
    let kind = match edge.kind {
        Transition::Next => "next",
        Transition::Catch => "catch",
    };
    let mut path = format!("M{}", point(course[0]));
    for pair in course.windows(2) {
        let (from, to) = (pair[0], pair[1]);
        let straight = (from.x - to.x).abs() < 0.5 || (from.y - to.y).abs() < 0.5;
        let _ = if straight {
            write!(path, " L{}", point(to))
        } else {
            let middle = f64::midpoint(from.y, to.y);
            write!(
                path,
                " C{:.1} {middle:.1} {:.1} {middle:.1} {}",
                from.x,
                to.x,
                point(to)
            )
        };
    }
    let taken = if edge.mark.is_some() { " taken" } else { "" };
    let _ = write!(
        svg,
        "<path class=\"{kind}{taken}\" marker-end=\"url(#{kind})\" d=\"{path}\">"
    );
    if !edge.labels.is_empty() {
        let _ = write!(svg, "<title>{}</title>", escaped(&edge.labels.join("\n")));
    }
    svg.push_str("</path>\n");
}

/// Opens the box's group; whoever calls draws what is within and closes it.
fn draw_shape(node: &Node, centre: Point, size: Size, svg: &mut String) {
    let (left, top) = (centre.x - size.width / 2.0, centre.y - size.height / 2.0);
    let class = node.kind.class();
    let title = std::iter::once(&node.label)
        .chain(&node.details)
        .cloned()
        .collect::<Vec<_>>();
    let mark = match node.mark {
        Some(Mark::Taken) => " class=\"taken\"",
        Some(Mark::Failed) => " class=\"failed\"",
        None => "",
    };
    let _ = writeln!(svg, "<g{mark}><title>{}</title>", escaped(&title.join("\n")));
    match node.kind {
        Kind::Start | Kind::End => {
            let _ = writeln!(
                svg,
                "<circle class=\"shape {class}\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"{DOT}\"/>",
                centre.x, centre.y
            );
            if node.kind == Kind::End {
                let _ = writeln!(
                    svg,
                    "<circle class=\"start\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"4\"/>",
                    centre.x, centre.y
                );
            }
            return;
        }
        Kind::Choice => {
            let (right, bottom) = (left + size.width, top + size.height);
            let corners = [
                (left, centre.y),
                (left + POINT, top),
                (right - POINT, top),
                (right, centre.y),
                (right - POINT, bottom),
                (left + POINT, bottom),
            ];
            let points: Vec<String> = corners.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
            let _ = writeln!(
                svg,
                "<polygon class=\"shape {class}\" points=\"{}\"/>",
                points.join(" ")
            );
        }
        kind => {
            let round = match kind {
                Kind::Wait | Kind::Succeed | Kind::Fail => size.height / 2.0,
                _ => 6.0,
            };
            let _ = writeln!(
                svg,
                "<rect class=\"shape {class}\" x=\"{left:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"{round:.1}\"/>",
                size.width, size.height
            );
        }
    }
    let mut y = top + PADDING / 2.0 + FONT;
    draw_text("name", &node.label, centre.x, y, svg);
    for line in &node.details {
        y += LINE;
        draw_text("detail", &shortened(line, LONGEST_DETAIL), centre.x, y, svg);
    }
}

fn draw_label(edge: &Edge, centre: Point, svg: &mut String) {
    let Some(size) = label_size(edge) else { return };
    let top = centre.y - size.height / 2.0;
    let _ = writeln!(
        svg,
        "<rect class=\"back\" x=\"{:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{:.1}\"/>",
        centre.x - size.width / 2.0,
        size.width,
        size.height
    );
    for (index, line) in lines(edge).iter().enumerate() {
        draw_text("label", line, centre.x, top + LINE * index as f64 + SMALL, svg);
    }
}

fn draw_text(class: &str, text: &str, x: f64, y: f64, svg: &mut String) {
    let _ = writeln!(
        svg,
        "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"middle\">{}</text>",
        escaped(text)
    );
}

fn point(point: Point) -> String {
    format!("{:.1} {:.1}", point.x, point.y)
}

/// About how wide text is in the sans-serif fonts that browsers have.
fn width(text: &str, font: f64) -> f64 {
    let ems: f64 = text
        .chars()
        .map(|character| match character {
            'i' | 'j' | 'l' | 't' | 'f' | 'r' | '.' | ',' | ':' | ';' | '|' | '\'' | '!' | '(' | ')' | '[' | ']'
            | ' ' => 0.36,
            'm' | 'w' | 'M' | 'W' | '@' | '%' | '…' | '↻' => 0.92,
            character if character.is_ascii_uppercase() => 0.68,
            character if character.is_ascii() => 0.58,
            _ => 0.8,
        })
        .sum();
    ems * font
}
