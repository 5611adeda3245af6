//! A layered layout: boxes in rows from top to bottom, arrows between them, few crossings.
//!
//! The steps are those of Sugiyama's method. Arrows that close a circle are turned around; each box gets the row after the last
//! of those that lead to it; an arrow that passes rows, or has a label, gets a place in each of them; the order within the rows
//! is improved until crossings no longer vanish; last, everything moves as close to what it is connected to as its neighbours in
//! the row let it. The same graph always gets the same layout.

/// The distance between neighbours in a row.
const GAP: f64 = 28.0;
/// The distance between rows.
const ROW_GAP: f64 = 34.0;
/// The width of an arrow that passes a row.
const LANE: f64 = 10.0;
/// The distance between two arrows that pass a row side by side.
const LANE_GAP: f64 = 8.0;
/// How often the order within rows is improved.
const SWEEPS: usize = 24;
/// How often everything is moved.
const MOVES: usize = 120;

/// A box or a label to be placed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Size {
    pub(super) width: f64,
    pub(super) height: f64,
}

/// A place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Point {
    pub(super) x: f64,
    pub(super) y: f64,
}

/// An arrow to be placed.
#[derive(Debug)]
pub(super) struct Arrow {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) label: Option<Size>,
    /// How much it wants to be straight, more than 0.
    pub(super) weight: f64,
}

/// Where everything is.
#[derive(Debug)]
pub(super) struct Layout {
    /// The whole.
    pub(super) size: Size,
    /// Each box's centre.
    pub(super) centres: Vec<Point>,
    /// Each arrow's course, from its box to the other; always two points at least.
    pub(super) courses: Vec<Vec<Point>>,
    /// Each label's centre, for arrows that have one.
    pub(super) labels: Vec<Option<Point>>,
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
pub(super) fn layout(boxes: &[Size], arrows: &[Arrow]) -> Layout {
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
    let order = ordered(&items);
    place(&order, &mut items);
    courses(boxes.len(), arrows, &chains, &order, &items)
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

/// The items of each row from left to right, with as few crossings as the sweeps find.
fn ordered(items: &[Item]) -> Vec<Vec<usize>> {
    let mut order = vec![Vec::new(); items.iter().map(|item| item.row + 1).max().unwrap_or(0)];
    let mut seen = vec![false; items.len()];
    for start in 0..items.len() {
        depth_first(start, items, &mut seen, &mut order);
    }
    let mut best = order.clone();
    let mut fewest = crossings(&best, items);
    for sweep in 0..SWEEPS {
        let down = sweep % 2 == 0;
        let rows: Vec<usize> = if down {
            (1..order.len()).collect()
        } else {
            (0..order.len().saturating_sub(1)).rev().collect()
        };
        for row in rows {
            let neighbours = positions(&order[if down { row - 1 } else { row + 1 }], items.len());
            let own = positions(&order[row], items.len());
            let key = |item: &usize| {
                let connected = if down { &items[*item].above } else { &items[*item].below };
                if connected.is_empty() {
                    return own[*item];
                }
                connected.iter().map(|link| neighbours[link.to]).sum::<f64>() / connected.len() as f64
            };
            order[row].sort_by(|left, right| key(left).total_cmp(&key(right)));
        }
        swap_neighbours(&mut order, items);
        let crossings = crossings(&order, items);
        if crossings < fewest {
            (fewest, best) = (crossings, order.clone());
        }
    }
    best
}

fn depth_first(item: usize, items: &[Item], seen: &mut [bool], order: &mut [Vec<usize>]) {
    if std::mem::replace(&mut seen[item], true) {
        return;
    }
    order[items[item].row].push(item);
    for below in &items[item].below {
        depth_first(below.to, items, seen, order);
    }
}

/// Swaps neighbours in a row as long as that removes crossings.
fn swap_neighbours(order: &mut [Vec<usize>], items: &[Item]) {
    for row in 0..order.len() {
        for index in 1..order[row].len() {
            let before = crossings_at(row, order, items);
            order[row].swap(index - 1, index);
            if crossings_at(row, order, items) >= before {
                order[row].swap(index - 1, index);
            }
        }
    }
}

fn crossings(order: &[Vec<usize>], items: &[Item]) -> usize {
    order
        .windows(2)
        .map(|rows| crossings_between(&rows[0], &rows[1], items))
        .sum()
}

fn crossings_at(row: usize, order: &[Vec<usize>], items: &[Item]) -> usize {
    crossings(&order[row.saturating_sub(1)..(row + 2).min(order.len())], items)
}

fn crossings_between(upper: &[usize], lower: &[usize], items: &[Item]) -> usize {
    let position = positions(lower, items.len());
    let mut passed: Vec<f64> = Vec::new();
    let mut count = 0;
    for item in upper {
        let ends: Vec<f64> = items[*item].below.iter().map(|below| position[below.to]).collect();
        count += ends
            .iter()
            .map(|end| passed.iter().filter(|other| **other > *end).count())
            .sum::<usize>();
        passed.extend(ends);
    }
    count
}

/// Each item's position in a row; 0 for items of other rows.
fn positions(row: &[usize], items: usize) -> Vec<f64> {
    let mut positions = vec![0.0; items];
    for (index, item) in row.iter().enumerate() {
        positions[*item] = index as f64;
    }
    positions
}

/// Moves every item towards the middle of what it is connected to.
fn place(order: &[Vec<usize>], items: &mut [Item]) {
    for row in order {
        let mut x = 0.0;
        for pair in row.windows(2) {
            items[pair[0]].x = x;
            x += distance(&items[pair[0]], &items[pair[1]]);
            items[pair[1]].x = x;
        }
    }
    for turn in 0..MOVES {
        let down = turn % 2 == 0;
        let both = turn > MOVES / 2;
        let mut rows: Vec<&Vec<usize>> = order.iter().collect();
        if !down {
            rows.reverse();
        }
        for row in rows {
            let wishes: Vec<Wish> = row.iter().map(|item| wish(&items[*item], items, both, down)).collect();
            settle(row, &wishes, items);
        }
    }
}

/// Where an item wants to be, and how much.
struct Wish {
    x: f64,
    weight: f64,
}

/// The weighted mean of an item's neighbours above, below or both; without any, where it is.
fn wish(item: &Item, items: &[Item], both: bool, down: bool) -> Wish {
    let above = item.above.iter().filter(|_| both || down);
    let below = item.below.iter().filter(|_| both || !down);
    let mut wish = Wish {
        x: item.x * 0.01,
        weight: 0.01,
    };
    for link in above.chain(below) {
        wish.x += items[link.to].x * link.weight;
        wish.weight += link.weight;
    }
    wish.x /= wish.weight;
    wish
}

/// The least distance between the middles of two neighbours in a row.
fn distance(left: &Item, right: &Item) -> f64 {
    let gap = if left.lane && right.lane { LANE_GAP } else { GAP };
    f64::midpoint(left.size.width, right.size.width) + gap
}

/// Items of a row that touch and so move together.
struct Block {
    /// The wished place of the first item times the weight, summed up over the items.
    sum: f64,
    weight: f64,
    /// Each item and its distance from the first.
    members: Vec<(usize, f64)>,
}

/// Puts the items of a row where they wish, or as near as their order and distance allow: the least squares solution,
/// found by merging neighbours that would overlap.
fn settle(row: &[usize], wishes: &[Wish], items: &mut [Item]) {
    let mut blocks: Vec<Block> = Vec::new();
    for (item, wish) in row.iter().zip(wishes) {
        let mut block = Block {
            sum: wish.x * wish.weight,
            weight: wish.weight,
            members: vec![(*item, 0.0)],
        };
        while let Some(last) = blocks.pop() {
            let (tail, offset) = last.members[last.members.len() - 1];
            let distance = offset + distance(&items[tail], &items[block.members[0].0]);
            if last.sum / last.weight + distance <= block.sum / block.weight {
                blocks.push(last);
                break;
            }
            let moved = block.members.iter().map(|(item, offset)| (*item, offset + distance));
            block = Block {
                sum: last.sum + block.sum - distance * block.weight,
                weight: last.weight + block.weight,
                members: last.members.iter().copied().chain(moved).collect(),
            };
        }
        blocks.push(block);
    }
    for block in blocks {
        for (item, offset) in block.members {
            items[item].x = block.sum / block.weight + offset;
        }
    }
}

/// From rows and places to coordinates, with the upper left corner at 0, 0.
fn courses(boxes: usize, arrows: &[Arrow], chains: &[Option<Chain>], order: &[Vec<usize>], items: &[Item]) -> Layout {
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
