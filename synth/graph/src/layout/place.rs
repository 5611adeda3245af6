//! Where each item of a row is, from left to right.

use super::{GAP, Item};

/// The distance between two arrows that pass a row side by side.
const LANE_GAP: f64 = 8.0;
/// How often everything is moved.
const MOVES: usize = 120;

/// Moves every item towards the middle of what it is connected to.
pub(super) fn place(order: &[Vec<usize>], items: &mut [Item]) {
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
