//! Coordinates of the boxes, and the courses of the arrows between them.

use super::{Arrow, Chain, GAP, Item, Layout, Link, Point, Size};

/// The distance between rows.
const ROW_GAP: f64 = 34.0;

/// From rows and places to coordinates, with the upper left corner at 0, 0.
pub(super) fn courses(
    boxes: usize,
    arrows: &[Arrow],
    chains: &[Option<Chain>],
    order: &[Vec<usize>],
    items: &[Item],
) -> Layout {
    let left = items
        .iter()
        .map(|item| item.x - item.size.width / 2.0)
        .fold(f64::INFINITY, f64::min);
    let right = items
        .iter()
        .map(|item| item.x + item.size.width / 2.0)
        .fold(f64::NEG_INFINITY, f64::max);
    let mut bands = Vec::new();
    let mut y = 0.0;
    for row in order {
        let height = row.iter().map(|item| items[*item].size.height).fold(0.0, f64::max);
        bands.push((y, y + height));
        y += height + ROW_GAP;
    }
    let centre = |item: usize| {
        let (top, bottom) = bands[items[item].row];
        Point {
            x: items[item].x - left,
            y: (top + bottom) / 2.0,
        }
    };
    let loops = arrows.iter().any(|arrow| arrow.from == arrow.to);
    Layout {
        size: Size {
            width: (right - left).max(0.0) + if loops { GAP } else { 0.0 },
            height: (y - ROW_GAP).max(0.0),
        },
        centres: (0..boxes).map(centre).collect(),
        courses: arrows
            .iter()
            .zip(chains)
            .map(|(arrow, chain)| match chain {
                Some(chain) => course(chain, items, &bands, &centre),
                None => around(centre(arrow.from), items[arrow.from].size),
            })
            .collect(),
        labels: chains.iter().map(|chain| chain.as_ref()?.label.map(centre)).collect(),
    }
}

/// Down from the upper box through every row that the arrow passes, straight within rows.
fn course(chain: &Chain, items: &[Item], bands: &[(f64, f64)], centre: &impl Fn(usize) -> Point) -> Vec<Point> {
    let mut course = Vec::new();
    for (index, pair) in chain.items.windows(2).enumerate() {
        let (upper, lower) = (pair[0], pair[1]);
        let out = port(upper, lower, &items[upper].below, items);
        let into = port(lower, upper, &items[lower].above, items);
        if index == 0 {
            let half = items[upper].size.height / 2.0;
            course.push(Point {
                x: centre(upper).x + out,
                y: centre(upper).y + half,
            });
        }
        course.push(Point {
            x: centre(upper).x + out,
            y: bands[items[upper].row].1,
        });
        course.push(Point {
            x: centre(lower).x + into,
            y: bands[items[lower].row].0,
        });
        if index + 2 == chain.items.len() {
            let half = items[lower].size.height / 2.0;
            course.push(Point {
                x: centre(lower).x + into,
                y: centre(lower).y - half,
            });
        }
    }
    if chain.turned {
        course.reverse();
    }
    course
}

/// How far from a box's middle an arrow leaves or enters it, so that arrows to different places part at once.
fn port(item: usize, other: usize, connected: &[Link], items: &[Item]) -> f64 {
    let before = connected
        .iter()
        .filter(|link| items[link.to].x < items[other].x)
        .count();
    let room = items[item].size.width * 0.6;
    let count = connected.len() as f64;
    let step = (room / count).min(22.0);
    (before as f64 - (count - 1.0) / 2.0) * step
}

/// An arrow from a box to itself, at its right side.
fn around(centre: Point, size: Size) -> Vec<Point> {
    let (right, out) = (centre.x + size.width / 2.0, GAP * 0.7);
    [(0.0, -6.0), (out, -6.0), (out, 6.0), (0.0, 6.0)]
        .into_iter()
        .map(|(x, y)| Point {
            x: right + x,
            y: centre.y + y,
        })
        .collect()
}
