//! A layered layout: boxes in rows from top to bottom, arrows between them, few crossings.
//!
//! The steps are those of Sugiyama's method. Arrows that close a circle are turned around; each box gets the row after the last
//! of those that lead to it; an arrow that passes rows, or has a label, gets a place in each of them; the order within the rows
//! is improved until crossings no longer vanish; last, everything moves as close to what it is connected to as its neighbours in
//! the row let it. The same graph always gets the same layout.

mod course;
mod order;
mod place;

/// The distance between neighbours in a row.
const GAP: f64 = 28.0;
/// The width of an arrow that passes a row.
const LANE: f64 = 10.0;

/// A box or a label to be placed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Size {
    pub(crate) width: f64,
    pub(crate) height: f64,
}

/// A place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Point {
    pub(crate) x: f64,
    pub(crate) y: f64,
}

/// An arrow to be placed.
#[derive(Debug)]
pub(crate) struct Arrow {
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) label: Option<Size>,
    /// How much it wants to be straight, more than 0.
    pub(crate) weight: f64,
}

/// Where everything is.
#[derive(Debug)]
pub(crate) struct Layout {
    /// The whole.
    pub(crate) size: Size,
    /// Each box's centre.
    pub(crate) centres: Vec<Point>,
    /// Each arrow's course, from its box to the other; always two points at least.
    pub(crate) courses: Vec<Vec<Point>>,
    /// Each label's centre, for arrows that have one.
    pub(crate) labels: Vec<Option<Point>>,
}

/// Something that takes a place in a row: a box, a label, or an arrow on its way.
struct Item {
    size: Size,
    row: usize,
    x: f64,
    /// Whether it is an arrow, with or without its label.
    lane: bool,
    above: Vec<Link>,
    below: Vec<Link>,
}

/// What an item is connected to, and how much it wants to be in line with it.
#[derive(Clone, Copy)]
struct Link {
    to: usize,
    weight: f64,
}

/// An arrow on its way down: the items that it passes, the boxes at both ends included.
struct Chain {
    items: Vec<usize>,
    label: Option<usize>,
    turned: bool,
}

/// Places everything.
pub(crate) fn layout(boxes: &[Size], arrows: &[Arrow]) -> Layout {
    let turned = turned(boxes.len(), arrows);
    let rows = rows(boxes.len(), arrows, &turned);
    let mut items: Vec<Item> = boxes
        .iter()
        .zip(&rows)
        .map(|(size, row)| Item::new(*size, *row, false))
        .collect();
    let chains: Vec<Option<Chain>> = arrows
        .iter()
        .zip(&turned)
        .map(|(arrow, turned)| (arrow.from != arrow.to).then(|| chain(arrow, *turned, &mut items)))
        .collect();
    let order = order::ordered(&items);
    place::place(&order, &mut items);
    course::courses(boxes.len(), arrows, &chains, &order, &items)
}

/// Which arrows must be turned around so that none leads back up.
fn turned(boxes: usize, arrows: &[Arrow]) -> Vec<bool> {
    #[derive(Clone, Copy, PartialEq)]
    enum Visit {
        Not,
        Open,
        Done,
    }
    fn visit(current: usize, arrows: &[Arrow], visits: &mut [Visit], turned: &mut [bool]) {
        visits[current] = Visit::Open;
        for (index, arrow) in arrows.iter().enumerate().filter(|(_, arrow)| arrow.from == current) {
            match visits[arrow.to] {
                Visit::Open => turned[index] = arrow.to != current,
                Visit::Not => visit(arrow.to, arrows, visits, turned),
                Visit::Done => {}
            }
        }
        visits[current] = Visit::Done;
    }
    let (mut visits, mut turned) = (vec![Visit::Not; boxes], vec![false; arrows.len()]);
    for start in 0..boxes {
        if visits[start] == Visit::Not {
            visit(start, arrows, &mut visits, &mut turned);
        }
    }
    turned
}

/// Each box's row. A label takes a row of its own between the two boxes.
fn rows(boxes: usize, arrows: &[Arrow], turned: &[bool]) -> Vec<usize> {
    let mut rows = vec![0; boxes];
    // Without circles no path is longer than the number of boxes, so this ends.
    for _ in 0..boxes {
        let mut changed = false;
        for (arrow, turned) in arrows.iter().zip(turned).filter(|(arrow, _)| arrow.from != arrow.to) {
            let (upper, lower) = ends(arrow, *turned);
            let least = rows[upper] + if arrow.label.is_some() { 2 } else { 1 };
            if rows[lower] < least {
                rows[lower] = least;
                changed = true;
            }
        }
        if !changed {
            break;
        }
    }
    rows
}

const fn ends(arrow: &Arrow, turned: bool) -> (usize, usize) {
    if turned {
        (arrow.to, arrow.from)
    } else {
        (arrow.from, arrow.to)
    }
}

fn chain(arrow: &Arrow, turned: bool, items: &mut Vec<Item>) -> Chain {
    let (upper, lower) = ends(arrow, turned);
    let (first, last) = (items[upper].row, items[lower].row);
    // The label is next to the box that the arrow comes from.
    let label_row = if turned { last - 1 } else { first + 1 };
    let mut chain = Chain {
        items: vec![upper],
        label: None,
        turned,
    };
    for row in first + 1..last {
        let size = match arrow.label.filter(|_| row == label_row) {
            Some(size) => size,
            None => Size {
                width: LANE,
                height: 0.0,
            },
        };
        if arrow.label.is_some() && row == label_row {
            chain.label = Some(items.len());
        }
        chain.items.push(items.len());
        items.push(Item::new(size, row, true));
    }
    chain.items.push(lower);
    for pair in chain.items.windows(2) {
        // A bend between two rows hurts the more, the longer the arrow is.
        let lanes = i32::from(items[pair[0]].lane) + i32::from(items[pair[1]].lane);
        let weight = arrow.weight * 3_f64.powi(lanes);
        items[pair[0]].below.push(Link { to: pair[1], weight });
        items[pair[1]].above.push(Link { to: pair[0], weight });
    }
    chain
}

impl Item {
    const fn new(size: Size, row: usize, lane: bool) -> Self {
        Self {
            size,
            row,
            x: 0.0,
            lane,
            above: Vec::new(),
            below: Vec::new(),
        }
    }
}
