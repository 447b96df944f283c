//! Pieces of HTML. What comes from results is text and never markup.

use super::summary::Table;

/// Text that is neither tag nor attribute nor entity.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            '\'' => out += "&#39;",
            c => out.push(c),
        }
    }
    out
}

/// A table that scrolls by itself where the page is narrow.
pub fn table(table: &Table) -> String {
    let head: String =
        table.head.iter().map(|cell| format!("<th scope=\"col\">{}</th>", escape(cell))).collect();
    let rows: String = table.rows.iter().map(|cells| row(cells)).collect();
    format!(
        "<div class=\"table\" tabindex=\"0\"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>\n"
    )
}

fn row(cells: &[String]) -> String {
    let cells: String = cells
        .iter()
        .map(|cell| match &**cell {
            "yes" | "no" => format!("<td class=\"{cell}\">{cell}</td>"),
            _ => format!("<td>{}</td>", escape(cell)),
        })
        .collect();
    format!("<tr>{cells}</tr>\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_become_markup() {
        assert_eq!(escape(r#"<b a="1" c='2'>&"#), "&lt;b a=&quot;1&quot; c=&#39;2&#39;&gt;&amp;");
        let shown = table(&Table { head: vec!["<i>".into()], rows: vec![vec!["<script>".into()]] });
        assert!(!shown.contains("<i>") && !shown.contains("<script>"), "{shown}");
    }
}
