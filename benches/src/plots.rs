//! Plots, by plotters.

use std::path::Path;

use marline_benches::Outcome;
use marline_benches::measure::Point;
use plotters::prelude::*;

/// A name and its points.
pub type Series<'a> = (String, &'a [Point]);

const SIZE: (u32, u32) = (900, 480);

/// Colours that can be told apart in every kind of colour blindness (Okabe and Ito).
const COLOURS: [RGBColor; 6] = [
    RGBColor(0, 114, 178),
    RGBColor(230, 159, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(120, 120, 120),
];

fn colour(i: usize) -> RGBColor {
    COLOURS.get(i % COLOURS.len()).copied().unwrap_or(BLACK)
}

/// The least and the greatest, with room around them.
fn range(values: impl Iterator<Item = f64> + Clone) -> std::ops::Range<f64> {
    let finite = values.filter(|value| value.is_finite());
    let (low, high) = (
        finite.clone().fold(f64::MAX, f64::min),
        finite.fold(f64::MIN, f64::max),
    );
    low / 1.5..high * 1.5
}

/// Curves over logarithmic axes, or over linear ones from 0.
pub fn curves(
    path: &Path,
    title: &str,
    axes: [&str; 2],
    logarithmic: bool,
    series: &[Series<'_>],
) -> Outcome<()> {
    let area = SVGBackend::new(path, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    let points = || series.iter().flat_map(|(_, points)| points.iter());
    let (x, y) = (
        range(points().map(|(x, _)| *x)),
        range(points().map(|(_, y)| *y)),
    );
    let mut builder = ChartBuilder::on(&area);
    builder
        .caption(title, ("sans-serif", 20))
        .margin(12)
        .x_label_area_size(45)
        .y_label_area_size(70);
    macro_rules! draw {
        ($chart:expr) => {{
            let mut chart = $chart?;
            chart
                .configure_mesh()
                .x_desc(axes[0])
                .y_desc(axes[1])
                .light_line_style(WHITE)
                .draw()?;
            for (i, (name, points)) in series.iter().enumerate() {
                let style = colour(i).stroke_width(2);
                let sorted = points.iter().copied();
                chart
                    .draw_series(LineSeries::new(sorted.clone(), style))?
                    .label(name)
                    .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], style));
                chart.draw_series(sorted.map(|point| Circle::new(point, 3, colour(i).filled())))?;
            }
            chart
                .configure_series_labels()
                .border_style(BLACK)
                .background_style(WHITE)
                .draw()?;
        }};
    }
    if logarithmic {
        draw!(builder.build_cartesian_2d(x.log_scale(), y.log_scale()));
    } else {
        draw!(builder.build_cartesian_2d(0.0..x.end / 1.5, 0.0..y.end));
    }
    Ok(area.present()?)
}

/// A line for each name, and on it a dot for each series, over a logarithmic axis.
pub fn dots(
    path: &Path,
    title: &str,
    axis: &str,
    names: &[String],
    series: &[(String, Vec<f64>)],
) -> Outcome<()> {
    let area = SVGBackend::new(path, (SIZE.0, 90 + 26 * names.len() as u32)).into_drawing_area();
    area.fill(&WHITE)?;
    let x = range(series.iter().flat_map(|(_, values)| values.iter().copied()));
    let mut chart = ChartBuilder::on(&area)
        .caption(title, ("sans-serif", 20))
        .margin(12)
        .x_label_area_size(45)
        .y_label_area_size(330)
        .build_cartesian_2d(x.log_scale(), -(names.len() as f64)..0.5)?;
    let name = |y: &f64| {
        names
            .get((-y).round() as usize)
            .cloned()
            .unwrap_or_default()
    };
    chart
        .configure_mesh()
        .x_desc(axis)
        .y_labels(names.len() + 1)
        .y_label_formatter(&name)
        .light_line_style(WHITE)
        .draw()?;
    for (i, (label, values)) in series.iter().enumerate() {
        let style = colour(i).filled();
        let places = values
            .iter()
            .enumerate()
            .filter(|(_, value)| value.is_finite());
        chart
            .draw_series(places.map(|(row, value)| Circle::new((*value, -(row as f64)), 5, style)))?
            .label(label)
            .legend(move |(x, y)| Circle::new((x + 9, y), 5, style));
    }
    chart
        .configure_series_labels()
        .border_style(BLACK)
        .background_style(WHITE)
        .draw()?;
    Ok(area.present()?)
}
