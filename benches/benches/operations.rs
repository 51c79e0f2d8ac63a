//! Every operation, its limit, and Olm beside it: `cargo bench -p marline-benches --bench operations -- "ping-pong"`.
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
                    let parts = n.div_ceil(operation.most);
                    let wall: f64 = (0..parts).map(|_| run(operation.most).unwrap().wall).sum();
                    let one = wall / (parts * operation.most) as f64;
                    Duration::from_nanos((one * n as f64) as u64)
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
