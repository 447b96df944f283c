//! Plots as SVG. They know of points, bars and names, and not of what was measured.

use super::{html::escape, unit::Unit};
use plotters::{
    coord::Shift,
    prelude::*,
    style::text_anchor::{HPos, Pos, VPos},
};

/// Text and axes; the style sheet gives these two the colours of the page, and they can be read without it.
const INK: RGBColor = RGBColor(0x80, 0x80, 0x7F);
const GRID: RGBColor = RGBColor(0x80, 0x80, 0x81);
const WIDTH: u32 = 920;
const FONT: &str = "sans-serif";
const TEXT: i32 = 16;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Points that belong together.
#[derive(Debug)]
pub struct Line {
    /// Its colour.
    pub color: RGBColor,
    /// Whether it is what the plot is about.
    pub is_main: bool,
    /// Whether each point is marked.
    pub is_marked: bool,
    /// Whether it is drawn in dashes.
    pub is_dashed: bool,
    /// From left to right; above 0, as both axes are logarithmic.
    pub points: Vec<(f64, f64)>,
}

/// A logarithmic axis.
#[derive(Debug)]
pub struct Axis<'a> {
    /// What it shows.
    pub title: &'a str,
    /// What stands beside a mark.
    pub label: fn(f64) -> String,
}

/// A bar with what it spreads over.
#[derive(Debug)]
pub struct Bar<'a> {
    /// What it is called.
    pub name: &'a str,
    /// Its colour.
    pub color: RGBColor,
    /// How long it is.
    pub value: f64,
    /// From where to where the single runs went.
    pub spread: (f64, f64),
}

/// A plot of lines, both axes logarithmic. `None` if there is no point.
///
/// # Errors
/// If it cannot be drawn.
pub fn lines(title: &str, x: &Axis, y: &Axis, lines: &[Line]) -> anyhow::Result<Option<String>> {
    let points = || lines.iter().flat_map(|line| &line.points);
    let (Some(xs), Some(ys)) = (range(points().map(|point| point.0)), range(points().map(|point| point.1)))
    else {
        return Ok(None);
    };
    // Marks at the ends are to be seen whole.
    let beside = if lines.iter().any(|line| line.is_marked) { 1.15 } else { 1.0 };
    draw(title, 420, |area| {
        let mut chart = ChartBuilder::on(area)
            .margin(12)
            .x_label_area_size(52)
            .y_label_area_size(84)
            .build_cartesian_2d(
                (xs.0 / beside..xs.1 * beside).log_scale(),
                (ys.0 / 1.25..ys.1 * 1.25).log_scale(),
            )?;
        chart
            .configure_mesh()
            .x_desc(x.title)
            .y_desc(y.title)
            .x_label_formatter(&|value| (x.label)(*value))
            .y_label_formatter(&|value| (y.label)(*value))
            .x_labels(8)
            .y_labels(10)
            .label_style((FONT, TEXT, &INK))
            .axis_desc_style((FONT, TEXT, &INK))
            .axis_style(INK)
            .bold_line_style(GRID.mix(0.5))
            .light_line_style(GRID.mix(0.15))
            .draw()?;
        for line in lines {
            let style = line.color.stroke_width(if line.is_main { 4 } else { 2 });
            let points = line.points.iter().copied();
            if line.is_dashed {
                chart.draw_series(DashedLineSeries::new(points, 7, 5, style))?;
            } else {
                chart.draw_series(LineSeries::new(points, style))?;
            }
            if line.is_marked {
                let mark = |&point| Circle::new(point, 4, line.color.filled());
                chart.draw_series(line.points.iter().map(mark))?;
            }
        }
        Ok(())
    })
    .map(Some)
}

/// Bars beneath each other, from 0 on. `None` if there is none.
///
/// # Errors
/// If it cannot be drawn.
pub fn bars(title: &str, axis: &str, unit: Unit, bars: &[Bar]) -> anyhow::Result<Option<String>> {
    let longest = bars.iter().map(|bar| bar.value.max(bar.spread.0).max(bar.spread.1)).fold(0.0, f64::max);
    if longest <= 0.0 {
        return Ok(None);
    }
    let count = bars.len();
    // Room for the number behind the longest bar. An axis of one segment has no height, so there are two at least.
    let end = 1.2 * longest;
    draw(title, 34 * count as u32 + 76, |area| {
        let mut chart = ChartBuilder::on(area)
            .margin(12)
            .x_label_area_size(52)
            .y_label_area_size(140)
            .build_cartesian_2d(0.0..end, (0..count.max(2) - 1).into_segmented())?;
        let name = |at: &SegmentValue<usize>| match at {
            SegmentValue::CenterOf(at) if *at < count => bars[count - 1 - at].name.to_owned(),
            _ => String::new(),
        };
        chart
            .configure_mesh()
            .x_desc(axis)
            .disable_y_mesh()
            .x_label_formatter(&|value| unit.show(*value))
            .y_label_formatter(&name)
            .y_labels(count)
            .label_style((FONT, TEXT, &INK))
            .axis_desc_style((FONT, TEXT, &INK))
            .axis_style(INK)
            .bold_line_style(GRID.mix(0.5))
            .light_line_style(TRANSPARENT)
            .draw()?;
        for (at, bar) in bars.iter().rev().enumerate() {
            let (low, high) = (SegmentValue::Exact(at), SegmentValue::Exact(at + 1));
            let middle = || SegmentValue::CenterOf(at);
            let mut shape = Rectangle::new([(0.0, low), (bar.value, high)], bar.color.filled());
            shape.set_margin(6, 6, 0, 0);
            chart.draw_series([shape])?;
            let spread = vec![(bar.spread.0, middle()), (bar.spread.1, middle())];
            chart.draw_series([PathElement::new(spread, INK.stroke_width(2))])?;
            let behind = bar.value.max(bar.spread.0).max(bar.spread.1) + 0.01 * end;
            let style = TextStyle::from((FONT, TEXT)).color(&INK).pos(Pos::new(HPos::Left, VPos::Center));
            chart.draw_series([Text::new(unit.show(bar.value), (behind, middle()), style)])?;
        }
        Ok(())
    })
    .map(Some)
}

fn draw(title: &str, height: u32, fill: impl FnOnce(&Area) -> anyhow::Result<()>) -> anyhow::Result<String> {
    let mut svg = String::new();
    let area = SVGBackend::with_string(&mut svg, (WIDTH, height)).into_drawing_area();
    fill(&area)?;
    area.present()?;
    drop(area);
    Ok(svg.replacen("<svg ", &format!("<svg role=\"img\" aria-label=\"{}\" ", escape(title)), 1))
}

/// From the smallest to the largest, apart by at least a little.
fn range(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    let (low, high) =
        values.fold((f64::INFINITY, 0.0), |(low, high): (f64, f64), value| (low.min(value), high.max(value)));
    (low > 0.0 && low.is_finite()).then(|| (low, high.max(1.2 * low)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const AXIS: Axis = Axis { title: "x", label: |value| value.to_string() };

    fn line(points: &[(f64, f64)]) -> Line {
        let color = RGBColor(1, 2, 3);
        Line { color, is_main: true, is_marked: true, is_dashed: false, points: points.to_vec() }
    }

    #[test]
    fn what_is_empty_or_a_single_point_can_be_drawn() {
        assert_eq!(lines("t", &AXIS, &AXIS, &[]).unwrap(), None);
        assert_eq!(lines("t", &AXIS, &AXIS, &[line(&[])]).unwrap(), None);
        let svg = lines("a \"t\"", &AXIS, &AXIS, &[line(&[(10.0, 10.0)])]).unwrap().unwrap();
        assert!(svg.starts_with("<svg role=\"img\" aria-label=\"a &quot;t&quot;\""), "{svg}");
        assert!(svg.contains("<circle"), "{svg}");
    }

    #[test]
    fn names_of_bars_are_text() {
        let bar = Bar { name: "<b>", color: RGBColor(1, 2, 3), value: 3.0, spread: (2.0, 4.0) };
        let svg = bars("t", "bytes", Unit::Bytes, &[bar]).unwrap().unwrap();
        assert!(svg.contains("&lt;b&gt;") && !svg.contains("<b>"), "{svg}");
        assert_eq!(bars("t", "bytes", Unit::Bytes, &[]).unwrap(), None);
    }
}
