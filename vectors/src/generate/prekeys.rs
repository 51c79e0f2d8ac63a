//! Sections 3.1 and 3.2: leaves and the tree.

use serde_json::json;

use super::builder::Builder;
use crate::format::{Layer, Outcome, VectorFile};

pub(super) fn file() -> Outcome<VectorFile> {
    let mut b = Builder::new(
        Layer::Primitives,
        "Prekey leaves and the Merkle tree over them (3.1, 3.2).",
    );
    b.case("prekeys-leaf", "", "Kind and id go into the leaf.", |s| {
        let seed = s.fresh(64);
        let kem = s
            .ask("kem_public", json!({ "kem": 1024, "seed": seed }))?
            .text("ek")?;
        let secret = s.fresh(32);
        let x25519 = s
            .ask("x25519_public", json!({ "secret": secret }))?
            .text("public")?;
        for (kind, id) in [(1, 1), (2, 1), (2, u32::MAX)] {
            s.ask(
                "leaf",
                json!({ "kind": kind, "id": id, "x25519": x25519, "kem": kem }),
            )?;
        }
        Ok(())
    })?;
    for count in [1usize, 2, 3, 4, 5, 7, 8, 13] {
        b.case(&format!("prekeys-tree-{count}"), "M-PK-04", "Root, and the path of the first, a middle and the last leaf.", |s| {
            let leaves: Vec<String> = (0..count).map(|_| s.fresh(32)).collect();
            let root = s.ask("merkle_root", json!({ "leaves": leaves }))?.text("root")?;
            let mut indices = vec![0, count / 2, count - 1];
            indices.dedup();
            for index in indices {
                let path = s.ask("merkle_path", json!({ "leaves": leaves, "index": index }))?.get("path")?.clone();
                let leaf = leaves.get(index).ok_or("leaf")?;
                s.ask("merkle_verify", json!({ "leaf": leaf, "index": index, "size": count, "path": path, "root": root }))?;
            }
            Ok(())
        })?;
    }
    b.case("prekeys-path-refused", "M-PK-04", "A path for another index, size, leaf or root, too short, too long, or for an index outside of the tree.", |s| {
        let leaves: Vec<String> = (0..6).map(|_| s.fresh(32)).collect();
        let root = s.ask("merkle_root", json!({ "leaves": leaves }))?.text("root")?;
        let path = s.ask("merkle_path", json!({ "leaves": leaves, "index": 2 }))?.get("path")?.clone();
        let path = path.as_array().ok_or("path")?.clone();
        let (leaf, other) = (leaves.get(2).ok_or("leaf")?, leaves.get(3).ok_or("leaf")?);
        let longer = [path.clone(), vec![json!(other)]].concat();
        let shorter = path.get(1..).ok_or("path")?.to_vec();
        for (leaf, index, size, path, root) in [
            (leaf, 3, 6, &path, &root),
            (leaf, 2, 2, &path, &root),
            (leaf, 6, 6, &path, &root),
            (leaf, 8, 6, &path, &root),
            (other, 2, 6, &path, &root),
            (leaf, 2, 6, &path, other),
            (leaf, 2, 6, &longer, &root),
            (leaf, 2, 6, &shorter, &root),
            (leaf, 2, 6, &vec![], &root),
        ] {
            s.ask("merkle_verify", json!({ "leaf": leaf, "index": index, "size": size, "path": path, "root": root }))?;
        }
        Ok(())
    })?;
    b.finish()
}
