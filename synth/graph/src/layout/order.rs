//! The order of the items within their rows.

use super::Item;

/// How often the order within rows is improved.
const SWEEPS: usize = 24;

/// The items of each row from left to right, with as few crossings as the sweeps find.
pub(super) fn ordered(items: &[Item]) -> Vec<Vec<usize>> {
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
