//! What the figures say: tables, bounds, plots.

use std::fs;
use std::path::Path;
use std::process::Command;

use marline_benches::Outcome;
use marline_benches::exposure::exposure;
use marline_benches::measure::{Point, Row, read_points, read_rows};
use marline_benches::operations::{REFERENCE_X25519, SCALE};
use marline_benches::sizes::sizes;

use crate::page::Page;
use crate::plots;
use crate::tables::{Table, number};

/// What one provider gave.
struct Figures {
    provider: &'static str,
    rows: Vec<Row>,
    gap: Vec<Point>,
    length: Vec<Point>,
    /// By how much this machine is slower now than the reference machine was.
    scale: f64,
}

impl Figures {
    fn read(directory: &Path, provider: &'static str) -> Outcome<Self> {
        let rows = read_rows(directory, provider)?;
        let x25519 = rows.iter().find(|row| row.name == SCALE).map(|row| row.olm);
        Ok(Self {
            provider,
            gap: read_points(directory, provider, "gap")?,
            length: read_points(directory, provider, "length")?,
            scale: x25519.ok_or("X25519 was not measured")? / 1_000.0 / REFERENCE_X25519,
            rows,
        })
    }
}

fn first_line(command: &str, arguments: &[&str]) -> String {
    let output = Command::new(command).args(arguments).output().ok();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    text.and_then(|text| text.lines().next().map(Into::into))
        .unwrap_or_default()
}

/// Whether there are figures of a provider.
pub fn is_measured(directory: &Path, provider: &str) -> bool {
    read_rows(directory, provider).is_ok()
}

/// How many processes want the processors, on average over the last minute.
pub fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or_default().into()
}

fn machine(load_before: &str, quick: bool) -> String {
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpus
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let cores = cpus
        .lines()
        .filter(|line| line.starts_with("processor"))
        .count();
    let quick = if quick {
        " A quick look: these figures are worth nothing."
    } else {
        ""
    };
    format!(
        "{}, {} ({cores} processors), {}; load average {load_before} before and {} after. Medians of CPU time of the thread; what \
         is compared was measured in turn, in one run.{quick}",
        first_line("date", &["-u", "+%F %H:%M UTC"]),
        model.map_or("unknown processor", |(_, model)| model),
        first_line("rustc", &["--version"]),
        load(),
    )
}

/// Times by operation: each provider with its limit, Olm, libsignal scaled.
fn times(all: &[Figures]) -> Table {
    let mut head = vec!["microseconds".to_owned()];
    for figures in all {
        head.extend([format!("`{}`", figures.provider), "by its limit".into()]);
    }
    head.extend([
        "Olm".into(),
        "libsignal, scaled".into(),
        "allocations".into(),
    ]);
    let mut table = Table { head, rows: vec![] };
    let Some(first) = all.first() else {
        return table;
    };
    for (i, row) in first.rows.iter().enumerate() {
        let mut cells = vec![row.name.clone()];
        for row in all.iter().filter_map(|figures| figures.rows.get(i)) {
            cells.extend([number(row.marline / 1e3), number(row.ratio)]);
        }
        let libsignal = row.libsignal * first.scale / 1e3;
        cells.extend([
            number(row.olm / 1e3),
            number(libsignal),
            format!("{:.0}", row.allocations),
        ]);
        table.rows.push(cells);
    }
    table
}

fn verdict(value: f64, bound: f64) -> String {
    let word = if value <= bound { "met" } else { "NOT met" };
    format!("{word}: {} of {}", number(value), number(bound))
}

/// The bounds on each operation: by its limit, and by libsignal's time scaled to this machine.
fn bounds(all: &[Figures]) -> Table {
    let mut table = Table::new(&[
        "operation",
        "provider",
        "times its limit",
        "share of libsignal",
    ]);
    for figures in all {
        for row in figures.rows.iter().filter(|row| row.name != SCALE) {
            let libsignal = row.marline / (row.libsignal * figures.scale);
            let share = match figures.provider {
                "aws-lc" => row.share,
                // A portable handshake carries ML-DSA in portable code: reported, not bounded.
                _ if row.share < 0.5 => 1.0,
                _ => f64::NAN,
            };
            let share = if share.is_nan() {
                number(libsignal)
            } else {
                verdict(libsignal, share)
            };
            let cells = [
                row.name.clone(),
                figures.provider.into(),
                verdict(row.ratio, row.bound),
                share,
            ];
            table.rows.push(cells.into());
        }
    }
    table
}

fn plot_times(path: &Path, all: &[Figures]) -> Outcome<()> {
    let Some(first) = all.first() else {
        return Ok(());
    };
    let names: Vec<String> = first.rows.iter().map(|row| row.name.clone()).collect();
    let mut series = Vec::new();
    for figures in all {
        let values =
            |value: fn(&Row) -> f64| figures.rows.iter().map(|row| value(row) / 1e3).collect();
        series.push((
            format!("Marline, {}", figures.provider),
            values(|row| row.marline),
        ));
        series.push((
            format!("its limit, {}", figures.provider),
            values(|row| row.limit),
        ));
    }
    let scaled = |row: &Row| row.libsignal * first.scale / 1e3;
    series.push((
        "libsignal, scaled".into(),
        first.rows.iter().map(scaled).collect(),
    ));
    series.push((
        "Olm (vodozemac)".into(),
        first.rows.iter().map(|row| row.olm / 1e3).collect(),
    ));
    plots::dots(
        path,
        "Time per operation",
        "microseconds of CPU time",
        &names,
        &series,
    )
}

fn curves<'a>(all: &'a [Figures], points: fn(&Figures) -> &[Point]) -> Vec<plots::Series<'a>> {
    all.iter()
        .map(|figures| (figures.provider.to_owned(), points(figures)))
        .collect()
}

/// How much slower the end of the long conversation is than its beginning.
fn flatness(figures: &Figures) -> String {
    let (first, last) = (figures.length.first(), figures.length.last());
    let ratio = last
        .zip(first)
        .map_or(f64::NAN, |((_, last), (_, first))| last / first);
    let messages = last.map_or(0.0, |(messages, _)| *messages);
    format!(
        "`{}`: the last twentieth of {messages} messages takes {} of the first",
        figures.provider,
        number(ratio)
    )
}

/// Writes report.md and index.html, with their plots.
///
/// # Errors
/// When figures are missing, or a file can't be written.
pub fn write(
    directory: &Path,
    providers: &[&'static str],
    load: String,
    quick: bool,
) -> Outcome<()> {
    let all: Outcome<Vec<_>> = providers
        .iter()
        .map(|provider| Figures::read(directory, provider))
        .collect();
    let all = all?;
    let sizes = sizes()?;
    let exposure = exposure(if quick { 2 } else { 40 })?;

    plot_times(&directory.join("time.svg"), &all)?;
    let names: Vec<String> = sizes.iter().map(|(name, _)| name.clone()).collect();
    let bytes = sizes.iter().map(|(_, bytes)| *bytes as f64).collect();
    plots::dots(
        &directory.join("bytes.svg"),
        "Sizes",
        "bytes",
        &names,
        &[("Marline".into(), bytes)],
    )?;
    let axes = ["messages lost before it", "microseconds"];
    let series = curves(&all, |figures| &figures.gap);
    plots::curves(
        &directory.join("gap.svg"),
        "Decrypting after a gap",
        axes,
        true,
        &series,
    )?;
    let axes = ["messages exchanged", "microseconds per message"];
    let series = curves(&all, |figures| &figures.length);
    let title = "Encrypting and decrypting, ten in a row and then the other side";
    plots::curves(&directory.join("length.svg"), title, axes, false, &series)?;
    let axes = ["codewords in each message (slots)", "messages"];
    let title = "Messages that a thief reads who copied the state and breaks X25519";
    let series = [("ping-pong, mean".to_owned(), exposure.as_slice())];
    plots::curves(&directory.join("exposure.svg"), title, axes, true, &series)?;

    let mut page = Page::default();
    page.heading("What Marline costs");
    page.text(machine(&load, quick));
    page.table(times(&all));
    page.text(
        "*By its limit*: how many times its primitives alone, same provider (HKDF and SHAKE are of the portable provider in \
         both). *Olm*: vodozemac in the same run, without post-quantum parts and without signatures. *libsignal, scaled*: v0.101.0 \
         with SPQR (and without ML-DSA) as measured on the reference machine, times what x25519-dalek takes here now by what it \
         took there. Allocations of Marline, mean per operation.",
    );
    page.plot("time.svg", "Time per operation");
    page.heading("Bounds");
    page.table(bounds(&all));
    page.heading("Bytes");
    let mut table = Table::new(&["what", "bytes"]);
    table.rows = sizes
        .iter()
        .map(|(name, bytes)| vec![name.clone(), bytes.to_string()])
        .collect();
    page.table(table);
    page.plot("bytes.svg", "Sizes");
    page.heading("Gaps, long conversations, thefts");
    page.plot("gap.svg", "Cost against the number of lost messages");
    page.text(all.iter().map(flatness).collect::<Vec<_>>().join("; ") + ".");
    page.plot("length.svg", "Cost against the length of the conversation");
    page.plot("exposure.svg", "Messages exposed after a theft, by slots");
    let mut table = Table::new(&["slots", "messages read, mean"]);
    table.rows = exposure
        .iter()
        .map(|(slots, read)| vec![slots.to_string(), number(*read)])
        .collect();
    page.table(table);
    page.write(directory)
}
