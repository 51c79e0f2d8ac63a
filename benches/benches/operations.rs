//! Every operation, its limit, and Olm beside it, by criterion: with distributions, and against an earlier run.
//!
//! ```text
//! cargo bench -p marline-benches --bench operations -- --sample-size 10 --warm-up-time 0.1 --measurement-time 0.5 "ping-pong"
//! ```
//!
//! Without `"ping-pong"`, all of them; without the rest, criterion's patience. `--features aws-lc` for that provider.
#![allow(missing_docs, clippy::unwrap_used)]

use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use marline_benches::operations::{Run, all};

fn operations(c: &mut Criterion) {
    for operation in all().unwrap() {
        let mut group = c.benchmark_group(operation.name);
        let mut bench = |name: &str, mut run: Run| {
            group.bench_function(name, |b| {
                b.iter_custom(|n| {
                    // In parts, for the memory that input takes.
                    let (mut left, mut wall) = (n, 0.0);
                    while left > 0 {
                        let part = left.min(operation.most);
                        wall += run(part).unwrap().wall;
                        left -= part;
                    }
                    Duration::from_nanos((wall / operation.contains as f64) as u64)
                });
            });
        };
        bench("marline", operation.marline);
        bench("limit", operation.limit);
        if let Some(olm) = operation.olm {
            bench("olm", olm);
        }
        group.finish();
    }
}

criterion_group!(benches, operations);
criterion_main!(benches);
