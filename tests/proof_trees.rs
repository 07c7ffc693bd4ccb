//! Proofs about trees: those of the Certificate Transparency reference tests, and of any tree beside another
//! implementation. A proof that was changed in any way proves nothing.

use ct_merkle::mem_backed_tree::MemoryBackedTree;
use peildatum::proof::consistency::{self, ConsistencyProof, verify_consistency};
use peildatum::proof::inclusion::{self, verify_inclusion};
use peildatum::proof::merkle::{Hash, Tree, leaf_hash, range_hash};
use proptest::prelude::*;
use sha2::Sha256;

/// The leaves of the reference tests, in hexadecimal.
const LEAVES: [&str; 8] =
    ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];

/// Their proofs that the entry at an index stands in a tree of a size.
const INCLUSION: [(u64, u64, &[&str]); 5] = [
    (0, 1, &[]),
    (
        0,
        8,
        &[
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        5,
        8,
        &[
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (2, 3, &["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
    (
        1,
        5,
        &[
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
];

/// Their proofs that a tree of a size begins with one of a smaller size.
const CONSISTENCY: [(u64, u64, &[&str]); 5] = [
    (1, 1, &[]),
    (
        1,
        8,
        &[
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        6,
        8,
        &[
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (
        2,
        5,
        &[
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
    (
        6,
        7,
        &[
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
];

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

fn hashes(hex: &[&str]) -> Vec<Hash> {
    hex.iter().map(|hash| Hash(bytes(hash).try_into().unwrap())).collect()
}

/// Hashes that lie one behind another.
fn cut(bytes: &[u8]) -> Vec<Hash> {
    bytes.chunks(32).map(|hash| Hash(hash.try_into().unwrap())).collect()
}

/// Entries with all that can be asked about them.
struct Log(Vec<Vec<u8>>);

impl Log {
    fn of_the_reference() -> Self {
        Self(LEAVES.iter().map(|leaf| bytes(leaf)).collect())
    }

    fn subtree(&self, from: u64, to: u64) -> Tree {
        let mut tree = Tree::new();
        self.0[from as usize..to as usize].iter().for_each(|entry| tree.push(leaf_hash(entry)));
        tree
    }

    fn root(&self, size: u64) -> Hash {
        self.subtree(0, size).root()
    }

    /// The hashes of the parts of a proof.
    fn all(&self, parts: Vec<std::ops::Range<u64>>) -> Vec<Hash> {
        let mut full = |height: u32, number: u64| {
            let (from, to) = (number << height, (number + 1) << height);
            Ok::<_, std::convert::Infallible>(self.subtree(from, to).root())
        };
        parts.into_iter().map(|part| range_hash(part, &mut full).unwrap()).collect()
    }

    fn inclusion(&self, index: u64, size: u64) -> Vec<Hash> {
        self.all(inclusion::path(index, size))
    }

    fn consistency(&self, old: u64, new: u64) -> Vec<Hash> {
        self.all(consistency::path(old, new))
    }
}

/// Every proof that differs from a right one in one place.
fn changed(proof: &[Hash], other: Hash) -> Vec<Vec<Hash>> {
    let mut all = vec![[proof, &[other]].concat(), [&[other], proof].concat()];
    if let [rest @ .., _] = proof {
        all.extend([rest.to_vec(), proof[1..].to_vec()]);
    }
    for at in 0..proof.len() {
        let mut flipped = proof.to_vec();
        flipped[at].0[at % 32] ^= 8;
        all.push(flipped);
        let mut swapped = proof.to_vec();
        swapped.swap(at, 0);
        all.push(swapped);
    }
    all.retain(|it| it != proof);
    all
}

#[test]
fn the_published_proofs_of_inclusion_are_made_and_hold() {
    let log = Log::of_the_reference();
    for (index, size, proof) in INCLUSION {
        let proof = hashes(proof);
        assert_eq!(log.inclusion(index, size), proof, "{index} of {size}");
        let (leaf, root) = (leaf_hash(&log.0[index as usize]), log.root(size));
        assert!(verify_inclusion(leaf, index, size, root, &proof));
        for wrong in changed(&proof, root) {
            assert!(!verify_inclusion(leaf, index, size, root, &wrong), "{index} of {size}: {wrong:?}");
        }
        for (index, size) in [(index + 1, size), (index ^ 2, size), (index, size * 2), (index, size / 2)] {
            assert!(!verify_inclusion(leaf, index, size, root, &proof), "{index} of {size}");
        }
        let empty = Tree::new().root();
        assert!(!verify_inclusion(empty, index, size, root, &proof));
        assert!(!verify_inclusion(leaf, index, size, empty, &proof));
    }
}

#[test]
fn the_published_proofs_of_consistency_are_made_and_hold() {
    let log = Log::of_the_reference();
    for (old, new, proof) in CONSISTENCY {
        let proof = hashes(proof);
        assert_eq!(log.consistency(old, new), proof, "{old} to {new}");
        let (old_root, new_root) = (log.root(old), log.root(new));
        assert!(verify_consistency(old, old_root, new, new_root, &proof));
        for wrong in changed(&proof, new_root) {
            assert!(!verify_consistency(old, old_root, new, new_root, &wrong), "{old} to {new}: {wrong:?}");
        }
        let sizes = [(old - 1, new), (old + 1, new), (old ^ 2, new), (old, new * 2), (old, new / 2)];
        for (old, new) in sizes {
            assert!(!verify_consistency(old, old_root, new, new_root, &proof), "{old} to {new}");
        }
        if old != new {
            assert!(!verify_consistency(old, new_root, new, old_root, &proof));
        }
    }
}

#[test]
fn trees_that_are_equal_or_empty_need_no_proof() {
    let (empty, one, other) = (Tree::new().root(), leaf_hash(b"one"), leaf_hash(b"other"));
    for (old, old_root, new, new_root, holds) in [
        (0, empty, 0, empty, true),
        (0, empty, 5, one, true),
        (0, other, 5, one, false),
        (0, empty, 0, one, false),
        (5, one, 5, one, true),
        (5, one, 5, other, false),
        (5, one, 4, one, false),
        (1, one, 2, other, false),
    ] {
        assert_eq!(verify_consistency(old, old_root, new, new_root, &[]), holds, "{old} to {new}");
        assert!(!verify_consistency(old, old_root, new, new_root, &[empty]), "{old} to {new}");
    }
}

#[test]
fn a_proof_of_consistency_reads_back_what_it_printed() {
    let log = Log::of_the_reference();
    let proof =
        ConsistencyProof { old: (6, log.root(6)), new: (8, log.root(8)), path: log.consistency(6, 8) };
    let text = proof.to_string();
    assert_eq!(
        text,
        "peildatum consistency proof v1\n\
         old 6 duZ9rbzfHhDht03cYIq9L5jfsW+851J3tSMqEn8gh+8=\n\
         new 8 XcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=\n\
         DrxdNDf74tsVi58Sah0RjjCBgQMdCpSfje3t68VY72o=\n\
         yoVOoSjtBQtBs1/8G4e46yveRh6eO1WW7Oa51ZdaCuA=\n\
         037kGJdt2VdTwcc4Yrk5j6Kiz5tP8P3+izDNlSCWFLc=\n"
    );
    assert_eq!(ConsistencyProof::parse(text.as_bytes()), Ok(proof.clone()));
    assert!(proof.holds());
    for at in 0..text.len() {
        let mut flipped = text.clone().into_bytes();
        flipped[at] ^= 1;
        // What still reads as a proof is another one.
        let holds = |bytes: &[u8]| ConsistencyProof::parse(bytes).is_ok_and(|it| it.holds());
        assert!(!holds(&flipped), "byte {at}");
        assert!(!holds(&text.as_bytes()[..at]), "cut at {at}");
    }
}

/// Entries, an index among them and a size that holds it.
fn any_log() -> impl Strategy<Value = (Vec<Vec<u8>>, u64, u64)> {
    let entries = prop::collection::vec(prop::collection::vec(any::<u8>(), 0..6), 1..80);
    entries.prop_flat_map(|entries| {
        let length = entries.len() as u64;
        (Just(entries), 1..=length).prop_flat_map(|(entries, size)| (Just(entries), 0..size, Just(size)))
    })
}

proptest! {
    #[test]
    fn proofs_of_inclusion_are_those_of_another_implementation((entries, index, size) in any_log()) {
        let log = Log(entries);
        let mut theirs = MemoryBackedTree::<Sha256, Vec<u8>>::new();
        log.0[..size as usize].iter().for_each(|entry| theirs.push(entry.clone()));
        let root = theirs.root();
        prop_assert_eq!(&log.root(size).0[..], &root.as_bytes()[..]);

        let proof = log.inclusion(index, size);
        let other = theirs.prove_inclusion(index as usize);
        prop_assert_eq!(&proof, &cut(other.as_bytes()));
        let leaf = leaf_hash(&log.0[index as usize]);
        prop_assert!(verify_inclusion(leaf, index, size, log.root(size), &proof));
        for wrong in changed(&proof, leaf) {
            prop_assert!(!verify_inclusion(leaf, index, size, log.root(size), &wrong));
        }
        // The root and the proof belong to one place of one size.
        for at in (0..size).filter(|at| *at != index && log.0[*at as usize] != log.0[index as usize]) {
            prop_assert!(!verify_inclusion(leaf, at, size, log.root(size), &proof));
        }
    }

    #[test]
    fn proofs_of_consistency_are_those_of_another_implementation((entries, old, new) in any_log()) {
        let (log, old) = (Log(entries), old + 1);
        let mut theirs = MemoryBackedTree::<Sha256, Vec<u8>>::new();
        log.0[..new as usize].iter().for_each(|entry| theirs.push(entry.clone()));

        let proof = log.consistency(old, new);
        if old < new {
            prop_assert_eq!(&proof, &cut(theirs.prove_consistency((new - old) as usize).as_bytes()));
        }
        let (old_root, new_root) = (log.root(old), log.root(new));
        prop_assert!(verify_consistency(old, old_root, new, new_root, &proof));
        for wrong in changed(&proof, old_root) {
            prop_assert!(!verify_consistency(old, old_root, new, new_root, &wrong));
        }
        // A log whose first entries were changed afterwards has no proof.
        for at in 0..old as usize {
            let mut forged = Log(log.0.clone());
            forged.0[at].push(0);
            let proof = forged.consistency(old, new);
            prop_assert!(!verify_consistency(old, old_root, new, forged.root(new), &proof));
        }
    }
}
