//! The report as Markdown and as one page of HTML, from the same parts.

use std::fs;
use std::path::Path;

use marline_benches::Outcome;

use crate::tables::Table;

enum Part {
    Heading(String),
    Text(String),
    Table(Table),
    Plot(&'static str, String),
}

/// A report, part by part.
#[derive(Default)]
pub struct Page(Vec<Part>);

impl Page {
    pub fn heading(&mut self, text: &str) {
        self.0.push(Part::Heading(text.into()));
    }

    pub fn text(&mut self, text: impl Into<String>) {
        self.0.push(Part::Text(text.into()));
    }

    pub fn table(&mut self, table: Table) {
        self.0.push(Part::Table(table));
    }

    /// A plot in a file beside the page.
    pub fn plot(&mut self, file: &'static str, what: &str) {
        self.0.push(Part::Plot(file, what.into()));
    }

    pub fn write(&self, directory: &Path) -> Outcome<()> {
        let (mut markdown, mut html) = (String::new(), String::from(HEAD));
        for part in &self.0 {
            let (md, page) = match part {
                Part::Heading(text) => (format!("## {text}\n"), format!("<h2>{text}</h2>\n")),
                Part::Text(text) => (format!("{text}\n"), format!("<p>{text}</p>\n")),
                Part::Table(table) => (table.markdown(), table.html()),
                Part::Plot(file, what) => (
                    format!("![{what}]({file})\n"),
                    format!("<img src=\"{file}\" alt=\"{what}\">\n"),
                ),
            };
            markdown += &(md + "\n");
            html += &page;
        }
        fs::write(directory.join("report.md"), markdown)?;
        Ok(fs::write(directory.join("index.html"), html + "</html>\n")?)
    }
}

const HEAD: &str = "<!doctype html>
<html lang=\"en\"><meta charset=\"utf-8\"><title>What Marline costs</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70em; margin: 2em auto; padding: 0 1em }
table { border-collapse: collapse } td, th { padding: .2em .8em; border-bottom: 1px solid #ddd; text-align: right }
td:first-child, th:first-child { text-align: left } img { max-width: 100% }
</style>
";
