//! Rewrites source files so that one build holds every mutant of a list from `cargo mutants --list --json`, each behind
//! `crate::mutants::on(number)`; `run` builds it once and starts the tests with a number in the environment.
//!
//! ```text
//! marline-mutants ROOT LIST [NUMBER-TO-LEAVE-OUT...]
//! ```
//!
//! Prints the numbers that have no place: an operator beside a `let` in a condition. The code of mutant 7 stands
//! between `/*7{*/` and `/*}7*/`, so that what does not compile can be found by the compiler's messages and left out.
#![allow(clippy::indexing_slicing, clippy::print_stdout)]

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::ops::Range;
use std::path::Path;
use std::{env, fs};

use serde_json::Value;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Numbers of mutants, and what stands in the place of the operator, guard or body.
type Others = Vec<(usize, String)>;

/// A place in a file that is rewritten; ranges are of its bytes.
enum Piece {
    /// The beginning of a body that may be another one.
    Body(Others),
    /// A guard that may be constant, of an arm that may be away.
    Guard {
        condition: Option<Range<usize>>,
        constants: Others,
        deleted: Option<usize>,
    },
    Binary {
        left: Range<usize>,
        right: Range<usize>,
        others: Others,
    },
    /// A unary operator that may be away.
    Unary {
        operand: Range<usize>,
        number: usize,
    },
}

/// Finds the pieces of one file, outer before inner.
struct Finder {
    /// By the byte where the mutation begins.
    mutants: BTreeMap<usize, Others>,
    pieces: Vec<(Range<usize>, Piece)>,
    placed: BTreeSet<usize>,
}

fn range(node: &impl Spanned) -> Range<usize> {
    node.span().byte_range()
}

/// Whether a `let` stands in this chain of conditions: that cannot be put into parentheses.
fn has_let(expr: &syn::Expr) -> bool {
    match expr {
        syn::Expr::Let(_) => true,
        syn::Expr::Binary(binary) => has_let(&binary.left) || has_let(&binary.right),
        _ => false,
    }
}

impl Finder {
    /// The mutants that begin at `at` and whose text `fits`; each is given once.
    fn take(&mut self, at: usize, fits: impl Fn(&str) -> bool) -> Others {
        let mut taken = self.mutants.get(&at).cloned().unwrap_or_default();
        taken.retain(|(number, text)| fits(text) && self.placed.insert(*number));
        taken
    }

    /// The pieces in the order in which they begin, outer before inner.
    fn sorted(mut self) -> Vec<(Range<usize>, Piece)> {
        self.pieces.sort_by_key(|(range, piece)| {
            let body = matches!(piece, Piece::Body(_));
            (range.start, !body, Reverse(range.end))
        });
        self.pieces
    }
}

impl<'ast> Visit<'ast> for Finder {
    fn visit_block(&mut self, node: &'ast syn::Block) {
        if let Some(start) = node.stmts.first().map(|first| range(first).start) {
            let others = self.take(start, |text| {
                text.contains(char::is_alphanumeric) || text == "()"
            });
            if !others.is_empty() {
                self.pieces.push((start..start, Piece::Body(others)));
            }
        }
        visit::visit_block(self, node);
    }

    fn visit_arm(&mut self, node: &'ast syn::Arm) {
        let pattern = range(&node.pat);
        let deleted = self.take(pattern.start, str::is_empty);
        let deleted = deleted.first().map(|(number, _)| *number);
        let condition = node.guard.as_ref().map(|(_, condition)| range(condition));
        let constants = condition.as_ref().map_or(Vec::new(), |condition| {
            self.take(condition.start, |text| ["true", "false"].contains(&text))
        });
        if deleted.is_some() || !constants.is_empty() {
            let place = condition.clone().unwrap_or(pattern.end..pattern.end);
            let guard = Piece::Guard {
                condition,
                constants,
                deleted,
            };
            self.pieces.push((place, guard));
        }
        visit::visit_arm(self, node);
    }

    fn visit_expr_binary(&mut self, node: &'ast syn::ExprBinary) {
        if !has_let(&node.left) && !has_let(&node.right) {
            let others = self.take(range(&node.op).start, |text| !text.is_empty());
            if !others.is_empty() {
                let (left, right) = (range(&node.left), range(&node.right));
                let binary = Piece::Binary {
                    left,
                    right,
                    others,
                };
                self.pieces.push((range(node), binary));
            }
        }
        visit::visit_expr_binary(self, node);
    }

    fn visit_expr_unary(&mut self, node: &'ast syn::ExprUnary) {
        let taken = self.take(range(&node.op).start, str::is_empty);
        if let Some((number, _)) = taken.first() {
            let (operand, number) = (range(&node.expr), *number);
            self.pieces
                .push((range(node), Piece::Unary { operand, number }));
        }
        visit::visit_expr_unary(self, node);
    }
}

/// A file and its pieces.
struct File<'a> {
    source: &'a str,
    pieces: Vec<(Range<usize>, Piece)>,
}

impl File<'_> {
    /// The text of `part`, with the pieces in it rewritten that come at `first` or later.
    fn render(&self, part: Range<usize>, first: usize) -> String {
        let (mut out, mut at) = (String::new(), part.start);
        for (index, (range, piece)) in self.pieces.iter().enumerate().skip(first) {
            if range.start >= at && range.end <= part.end {
                out += &self.source[at..range.start];
                out += &self.rewrite(range, piece, index + 1);
                at = range.end;
            }
        }
        out + &self.source[at..part.end]
    }

    /// A piece with its mutants. Only one is on at a time: other pieces are rewritten in the original branch only.
    fn rewrite(&self, range: &Range<usize>, piece: &Piece, inner: usize) -> String {
        match piece {
            Piece::Body(others) => others
                .iter()
                .map(|(number, body)| when(*number, &format!("return {body};")) + "\n")
                .collect(),
            Piece::Guard {
                condition,
                constants,
                deleted,
            } => {
                let original = condition.clone();
                let mut text = original.map_or("true".into(), |part| self.render(part, inner));
                for (number, constant) in constants {
                    text = format!("({} else {{ {text} }})", when(*number, constant));
                }
                if let Some(number) = deleted {
                    text = format!("({} else {{ {text} }})", when(*number, "false"));
                }
                let word = if condition.is_some() { "" } else { " if " };
                format!("{word}{text}")
            }
            Piece::Binary {
                left,
                right,
                others,
            } => {
                let operator = &self.source[left.end..right.start];
                let (one, two) = (&self.source[left.clone()], &self.source[right.clone()]);
                let cases = others.iter().map(|(number, other)| {
                    when(*number, &format!("(({one}) {other} ({two}))")) + " else "
                });
                let (left, right) = (
                    self.render(left.clone(), inner),
                    self.render(right.clone(), inner),
                );
                format!(
                    "({} {{ ({left}{operator}{right}) }})",
                    cases.collect::<String>()
                )
            }
            Piece::Unary { operand, number } => {
                let sign = &self.source[range.start..operand.start];
                let without = when(*number, &self.source[operand.clone()]);
                let original = self.render(operand.clone(), inner);
                format!("({without} else {{ {sign}{original} }})")
            }
        }
    }
}

/// `if` this mutant is on: its code, between marks.
fn when(number: usize, code: &str) -> String {
    format!("if crate::mutants::on({number}) {{ /*{number}{{*/ {code} /*}}{number}*/ }}")
}

/// The byte of a line and column, both from 1, columns in characters.
fn byte(source: &str, place: &Value) -> Option<usize> {
    let number = |name: &str| usize::try_from(place[name].as_u64()?).ok()?.checked_sub(1);
    let line = source.split_inclusive('\n').nth(number("line")?)?;
    let before = line.char_indices().nth(number("column")?)?.0;
    Some(line.as_ptr() as usize - source.as_ptr() as usize + before)
}

fn main() -> Outcome<()> {
    let mut arguments = env::args().skip(1);
    let (root, list) = arguments.next().zip(arguments.next()).ok_or("ROOT LIST")?;
    let left_out: BTreeSet<usize> = arguments
        .map(|number| number.parse())
        .collect::<Result<_, _>>()?;
    let list: Vec<Value> = serde_json::from_slice(&fs::read(list)?)?;

    let mut files: BTreeMap<&str, Vec<(usize, &Value)>> = BTreeMap::new();
    for (number, mutant) in list.iter().enumerate() {
        let file = mutant["file"].as_str().ok_or("no file")?;
        files.entry(file).or_default().push((number, mutant));
    }
    for (name, mutants) in files {
        let path = Path::new(&root).join(name);
        let source = fs::read_to_string(&path)?;
        let mut finder = Finder {
            mutants: BTreeMap::new(),
            pieces: Vec::new(),
            placed: BTreeSet::new(),
        };
        for (number, mutant) in &mutants {
            if !left_out.contains(number) {
                let at = byte(&source, &mutant["span"]["start"]).ok_or("no such place")?;
                let text = mutant["replacement"].as_str().ok_or("no replacement")?;
                finder
                    .mutants
                    .entry(at)
                    .or_default()
                    .push((*number, text.into()));
            }
        }
        finder.visit_file(&syn::parse_file(&source)?);
        for (number, _) in &mutants {
            if !left_out.contains(number) && !finder.placed.contains(number) {
                println!("{number}");
            }
        }
        let file = File {
            source: &source,
            pieces: finder.sorted(),
        };
        fs::write(path, file.render(0..source.len(), 0))?;
    }
    Ok(())
}
