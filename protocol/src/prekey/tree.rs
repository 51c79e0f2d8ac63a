//! The Merkle tree over the one-time prekeys (spec section 3.2, RFC 9162 section 2.1).

use alloc::vec::Vec;

use crate::crypto::hash::{Hash, hash};
use crate::labels;

fn node(left: &Hash, right: &Hash) -> Hash {
    hash(labels::NODE, &[left, right])
}

/// The tree's root; `None` without leaves.
pub fn root(leaves: &[Hash]) -> Option<Hash> {
    match leaves {
        [] => None,
        [leaf] => Some(*leaf),
        _ => {
            let (left, right) = leaves.split_at(split(leaves.len()));
            Some(node(&root(left)?, &root(right)?))
        }
    }
}

/// Sibling hashes from each leaf up to the root. All at once: one by one, each path would hash the whole tree anew.
pub fn paths(leaves: &[Hash]) -> Vec<Vec<Hash>> {
    let mut paths = alloc::vec![Vec::new(); leaves.len()];
    climb(leaves, &mut paths);
    paths
}

/// Adds to each leaf's path the siblings within this part of the tree; its root.
fn climb(leaves: &[Hash], paths: &mut [Vec<Hash>]) -> Option<Hash> {
    match leaves {
        [] => None,
        [leaf] => Some(*leaf),
        _ => {
            let middle = split(leaves.len());
            let (left, right) = leaves.split_at(middle);
            let (left_paths, right_paths) = paths.split_at_mut(middle);
            let (left, right) = (climb(left, left_paths)?, climb(right, right_paths)?);
            left_paths.iter_mut().for_each(|path| path.push(right));
            right_paths.iter_mut().for_each(|path| path.push(left));
            Some(node(&left, &right))
        }
    }
}

/// The largest power of two below `count`, for `count > 1`.
fn split(count: usize) -> usize {
    count.next_power_of_two() / 2
}

/// Whether `path` leads from leaf `index` of `count` to `root` (RFC 9162 section 2.1.3.2).
pub fn verify_path(leaf: &Hash, index: usize, count: usize, path: &[Hash], root: &Hash) -> bool {
    if index >= count {
        return false;
    }
    let (mut at, mut last) = (index, count.saturating_sub(1));
    let mut current = *leaf;
    for sibling in path {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            current = node(sibling, &current);
            while at & 1 == 0 && at != 0 {
                (at, last) = (at >> 1, last >> 1);
            }
        } else {
            current = node(&current, sibling);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    last == 0 && current == *root
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg_attr(miri, ignore = "tens of thousands of hashes take it an hour")]
    fn every_leaf_of_every_size_has_exactly_its_path() {
        for count in (1..=40).chain([255, 256, 257]) {
            let leaves: Vec<Hash> = (0..count)
                .map(|i| hash(labels::NODE, &[&[i as u8]]))
                .collect();
            let root = root(&leaves).unwrap();
            let paths = paths(&leaves);
            assert_eq!(paths.len(), count);
            for (i, (leaf, path)) in leaves.iter().zip(paths).enumerate() {
                assert!(path.len() <= 10 && verify_path(leaf, i, count, &path, &root));
                assert!(!verify_path(
                    leaf,
                    (i + 1) % (count + 1),
                    count,
                    &path,
                    &root
                ));
                assert!(!verify_path(&[0; 32], i, count, &path, &root));
                let longer: Vec<Hash> = path.iter().copied().chain([[0; 32]]).collect();
                assert!(!verify_path(leaf, i, count, &longer, &root));
                if let Some((_, shorter)) = path.split_last() {
                    assert!(!verify_path(leaf, i, count, shorter, &root));
                }
            }
        }
        assert!(root(&[]).is_none() && paths(&[]).is_empty());
    }
}
