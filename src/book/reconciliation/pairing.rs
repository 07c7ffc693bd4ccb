//! Pairing: which row of a list without an id belongs to which placement of the ledger.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::ListRow;
use super::placements::Standing;
use crate::domain::placement::PlacementKind;

/// Gives each row the index of its placement, if it has one. Each placement is given once.
///
/// All rows and placements lie in one half-year. Both come in an order that depends on what they say alone, and of
/// several that would do the first is taken, so the result does not depend on the order in the file.
pub(super) fn pair(rows: &[ListRow], standing: &[Standing]) -> Vec<Option<usize>> {
    let mut pairing = Pairing {
        partners: vec![None; rows.len()],
        rows: (0..rows.len()).collect(),
        standing: (0..standing.len()).collect(),
    };
    pairing.alike(
        |row| (rows[row].date, rows[row].kind, rows[row].persons),
        |it| (standing[it].side.date, standing[it].side.kind, standing[it].side.persons),
    );
    pairing.nearest(rows, standing);
    pairing.alike(
        |row| (rows[row].date, rows[row].persons),
        |it| (standing[it].side.date, standing[it].side.persons),
    );
    pairing.partners
}

/// What is paired so far, and what is left.
struct Pairing {
    partners: Vec<Option<usize>>,
    rows: Vec<usize>,
    standing: Vec<usize>,
}

/// On the dates of a half-year, what is left of one kind and number of persons.
#[derive(Default)]
struct Left {
    rows: BTreeMap<u16, VecDeque<usize>>,
    standing: BTreeMap<u16, VecDeque<usize>>,
}

impl Pairing {
    /// Pairs what has the same key, in order.
    fn alike<K: Ord>(&mut self, of_row: impl Fn(usize) -> K, of_standing: impl Fn(usize) -> K) {
        let mut free = BTreeMap::<K, VecDeque<usize>>::new();
        for &it in &self.standing {
            free.entry(of_standing(it)).or_default().push_back(it);
        }
        for &row in &self.rows {
            self.partners[row] = free.get_mut(&of_row(row)).and_then(VecDeque::pop_front);
        }
        self.forget_paired();
    }

    /// Pairs what is of the same kind and number of persons, the pairs with the fewest days between them first. Of those
    /// the rows with the earliest date are first, and the earlier placement is.
    fn nearest(&mut self, rows: &[ListRow], standing: &[Standing]) {
        let mut left = BTreeMap::<(PlacementKind, i64), Left>::new();
        for &row in &self.rows {
            let it = &rows[row];
            let of = left.entry((it.kind, it.persons)).or_default();
            of.rows.entry(it.date.index()).or_default().push_back(row);
        }
        for &index in &self.standing {
            let it = &standing[index].side;
            if let Some(of) = left.get_mut(&(it.kind, it.persons)) {
                of.standing.entry(it.date.index()).or_default().push_back(index);
            }
        }
        for left in left.values_mut() {
            left.pair(&mut self.partners);
        }
        self.forget_paired();
    }

    fn forget_paired(&mut self) {
        let partners = &self.partners;
        let taken: BTreeSet<usize> = self.rows.iter().filter_map(|&row| partners[row]).collect();
        self.standing.retain(|it| !taken.contains(it));
        self.rows.retain(|&row| partners[row].is_none());
    }
}

/// No two days of a half-year are so far apart.
const DAYS: u16 = 184;

impl Left {
    fn pair(&mut self, partners: &mut [Option<usize>]) {
        for apart in 1..DAYS {
            if self.rows.is_empty() || self.standing.is_empty() {
                return;
            }
            self.rows.retain(|&day, rows| {
                for date in [day.checked_sub(apart), day.checked_add(apart)].into_iter().flatten() {
                    let Some(standing) = self.standing.get_mut(&date) else { continue };
                    while !rows.is_empty()
                        && let Some(it) = standing.pop_front()
                    {
                        let row = rows.pop_front().expect("one is left");
                        partners[row] = Some(it);
                    }
                    if standing.is_empty() {
                        self.standing.remove(&date);
                    }
                }
                !rows.is_empty()
            });
        }
    }
}
