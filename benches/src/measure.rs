//! Interleaved measurements, and the files they are kept in.

use std::fs;
use std::path::Path;

use getrandom::SysRng;
use marline::Slots;

use crate::cost::{Cost, median};
use crate::operations::{Operation, Run, after_gap, all};
use crate::{Outcome, Pair};

/// The provider that this program was built with: `rustcrypto`, the portable one, or `aws-lc`.
pub use marline::hazmat::provider::NAME as PROVIDER;

macro_rules! row {
    ($($(#[$doc:meta])* $field:ident),* $(,)?) => {
        /// What was measured of one operation. Medians; times are CPU nanoseconds if nothing else is said; NaN where there is
        /// nothing.
        #[derive(Clone, Debug)]
        pub struct Row {
            /// The operation.
            pub name: String,
            $($(#[$doc])* pub $field: f64,)*
        }

        impl Row {
            const HEAD: &str = concat!("name", $("\t", stringify!($field)),*);

            fn line(&self) -> String {
                let mut line = self.name.clone();
                $(line += &format!("\t{}", self.$field);)*
                line
            }

            fn from_line(line: &str) -> Option<Self> {
                let mut cells = line.split('\t');
                Some(Self { name: cells.next()?.into(), $($field: cells.next()?.parse().ok()?,)* })
            }
        }
    };
}

row! {
    /// Marline.
    marline,
    /// Marline, wall time.
    wall,
    /// Allocations.
    allocations,
    /// Its primitives alone.
    limit,
    /// Marline by the limit, median of pairs.
    ratio,
    /// Olm.
    olm,
    /// Times its limit it may take.
    bound,
    /// libsignal on the reference machine.
    libsignal,
    /// Share of that it may take with `aws-lc`.
    share,
}

/// A point of a curve.
pub type Point = (f64, f64);

/// How much to measure.
#[derive(Clone, Copy)]
pub struct Effort {
    /// Samples of each contender.
    pub rounds: u64,
    /// Nanoseconds of one sample.
    pub sample: f64,
    /// Messages of the long conversation.
    pub messages: u64,
}

/// An operation on its way: everything is measured in turn, so that what else the machine does hits all alike.
struct Contest {
    operation: Operation,
    repetitions: u64,
    marline: Vec<Cost>,
    limit: Vec<Cost>,
    olm: Vec<Cost>,
}

impl Contest {
    fn new(mut operation: Operation, effort: Effort) -> Outcome<Self> {
        // The first is slower: caches, and a peer's session that steps once.
        (operation.marline)(operation.most.min(4))?;
        let once = (operation.marline)(1)?;
        let repetitions = ((effort.sample / once.cpu.max(1.0)) as u64).clamp(1, operation.most);
        Ok(Self {
            operation,
            repetitions,
            marline: vec![],
            limit: vec![],
            olm: vec![],
        })
    }

    fn round(&mut self) -> Outcome<()> {
        let (n, contains) = (self.repetitions, self.operation.contains);
        let run = |run: &mut Run| Ok::<_, Box<dyn std::error::Error>>(run(n)?.per(n * contains));
        self.marline.push(run(&mut self.operation.marline)?);
        self.limit.push(run(&mut self.operation.limit)?);
        if let Some(olm) = &mut self.operation.olm {
            self.olm.push(run(olm)?);
        }
        Ok(())
    }

    fn row(&self) -> Row {
        let cpu = |costs: &[Cost]| match costs {
            [] => f64::NAN,
            _ => median(costs.iter().map(|cost| cost.cpu).collect()),
        };
        let pairs = self.marline.iter().zip(&self.limit);
        let operation = &self.operation;
        Row {
            name: operation.name.into(),
            marline: cpu(&self.marline),
            wall: median(self.marline.iter().map(|cost| cost.wall).collect()),
            allocations: median(self.marline.iter().map(|cost| cost.allocations).collect()),
            limit: cpu(&self.limit),
            ratio: median(
                pairs
                    .map(|(marline, limit)| marline.cpu / limit.cpu)
                    .collect(),
            ),
            olm: cpu(&self.olm),
            bound: operation.bound,
            libsignal: operation.libsignal.map_or(f64::NAN, |us| us * 1_000.0),
            share: operation.share.unwrap_or(f64::NAN),
        }
    }
}

fn operations(effort: Effort) -> Outcome<Vec<Row>> {
    let contests: Outcome<Vec<_>> = all()?
        .into_iter()
        .map(|one| Contest::new(one, effort))
        .collect();
    let mut contests = contests?;
    for _ in 0..effort.rounds {
        contests.iter_mut().try_for_each(Contest::round)?;
    }
    Ok(contests.iter().map(Contest::row).collect())
}

/// Lost messages, and microseconds of the first message after them.
fn gaps(effort: Effort) -> Outcome<Vec<Point>> {
    let mut points = Vec::new();
    for lost in [1, 10, 100, 500, 2_000, 5_000, 12_000, 25_000] {
        let mut run = after_gap(lost)?;
        let costs: Outcome<Vec<_>> = (0..effort.rounds).map(|_| Ok(run(1)?.cpu)).collect();
        points.push((lost as f64, median(costs?) / 1_000.0));
    }
    Ok(points)
}

/// Messages exchanged, and microseconds for one, encrypted and decrypted, in the tenth or more before that point: ten
/// in a row, then the other side.
fn length(effort: Effort) -> Outcome<Vec<Point>> {
    let (mut pair, steps) = (Pair::after_turns(Slots::STANDARD, 2)?, 20);
    let mut points = Vec::new();
    for step in 1..=steps {
        let part = effort.messages / steps;
        let cost = Cost::of((0..part).collect(), |i| {
            Ok(pair.turn(*i / 10 % 2 == 0, &[7; 100])?)
        })?;
        points.push(((step * part) as f64, cost.per(part).cpu / 1_000.0));
    }
    // A state that works and stays small.
    let state = pair
        .responder
        .export(&marline::StateKey::new(&mut [7; 32]), &mut SysRng)?;
    if state.len() > 8 * 1024 {
        return Err("the state has grown with the conversation".into());
    }
    Ok(points)
}

/// Measures everything with this provider and writes it to `directory`.
///
/// # Errors
/// Those of the operations and of the files.
pub fn measure(directory: &Path, effort: Effort) -> Outcome<()> {
    let rows: Vec<String> = operations(effort)?.iter().map(Row::line).collect();
    let write = |name: &str, head: &str, lines: &[String]| {
        let text = format!("{head}\n{}\n", lines.join("\n"));
        fs::write(directory.join(format!("{PROVIDER}-{name}.tsv")), text)
    };
    write("operations", Row::HEAD, &rows)?;
    for (name, points) in [("gap", gaps(effort)?), ("length", length(effort)?)] {
        let lines: Vec<String> = points.iter().map(|(x, y)| format!("{x}\t{y}")).collect();
        write(name, "x\tmicroseconds", &lines)?;
    }
    Ok(())
}

fn lines(directory: &Path, provider: &str, name: &str) -> Outcome<Vec<String>> {
    let text = fs::read_to_string(directory.join(format!("{provider}-{name}.tsv")))?;
    Ok(text.lines().skip(1).map(Into::into).collect())
}

/// The rows of a provider.
///
/// # Errors
/// When the file is not there or not whole.
pub fn read_rows(directory: &Path, provider: &str) -> Outcome<Vec<Row>> {
    let rows = lines(directory, provider, "operations")?;
    let rows: Option<Vec<_>> = rows.iter().map(|line| Row::from_line(line)).collect();
    rows.ok_or_else(|| "a torn file of rows".into())
}

/// A curve of a provider.
///
/// # Errors
/// When the file is not there or not whole.
pub fn read_points(directory: &Path, provider: &str, name: &str) -> Outcome<Vec<Point>> {
    let mut points = Vec::new();
    for line in lines(directory, provider, name)? {
        let (x, y) = line.split_once('\t').ok_or("a torn curve")?;
        points.push((x.parse()?, y.parse()?));
    }
    Ok(points)
}
