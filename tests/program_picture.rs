//! The picture in the README shows a statement of the demo ledger, and must not show another one than the program prints.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::program_demo::demo;

const WIDTH: usize = 731;
const LINE: usize = 20;

#[test]
fn the_picture_and_the_figures_of_the_readme_are_those_of_the_demo() {
    let ran = demo().run("statement NL --on 2026-01-01").expect(0);
    let wanted = picture(&ran.out);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let fresh = Path::new(env!("CARGO_TARGET_TMPDIR")).join("statement.svg");
    if fs::read_to_string(root.join("docs/statement.svg")).unwrap() != wanted {
        fs::write(&fresh, wanted).unwrap();
        panic!("docs/statement.svg shows another statement; copy {} there", fresh.display());
    }
    let size =
        demo().run("statement NL --on 2026-01-01 --format json").expect(0).json()["checkpoint"]["size"]
            .as_u64()
            .unwrap();
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let rotterdam = demo().run("statement Rotterdam --on 2026-04-01 --format json").expect(0).json();
    let [realised, backlog] = ["realised", "backlog"].map(|it| rotterdam[it].as_i64().unwrap());
    let (more, less) = (realised + 2, backlog - 2);
    for figure in [
        format!("from {realised} to {more}, and the backlog from {backlog} to {less}"),
        format!("at positions {size} to {}", size + 2),
        format!("--known-at {size}"),
        format!("--from {size}"),
    ] {
        assert!(readme.contains(&figure), "README.md: {figure}");
    }
}

/// The output in a terminal, drawn with text that can be read aloud and copied.
fn picture(output: &str) -> String {
    let command = "$ peildatum statement NL --on 2026-01-01 --ledger ./peildatum-demo";
    let lines: Vec<&str> = [command, ""].into_iter().chain(output.trim_end().lines()).collect();
    let height = 64 + LINE * (lines.len() - 1) + 26;
    let (inner_width, inner_height) = (WIDTH - 1, height - 1);
    let mut svg = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" role="img" aria-labelledby="title desc">
  <title id="title">A statement of Peildatum in a terminal</title>
  <desc id="desc">The standing of the Netherlands on 1 January 2026 in the demo ledger: carried over 9,000, quota 15,000, due 24,000, realised 0, remaining 24,000, backlog 9,000, with the log size and the root that it was computed from.</desc>
  <style>
    text {{ font: 14px ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", "DejaVu Sans Mono", monospace; white-space: pre; }}
    .t {{ fill: #d7dde5 }} .h {{ fill: #ffffff; font-weight: bold }} .m {{ fill: #a3b0bf }} .c {{ fill: #8fd19e }} .g {{ fill: #f0c674 }}
  </style>
  <rect x="0.5" y="0.5" width="{inner_width}" height="{inner_height}" rx="8" fill="#1b222c" stroke="#5b6776"/>
  <g fill="#5b6776"><circle cx="24" cy="22" r="6"/><circle cx="44" cy="22" r="6"/><circle cx="64" cy="22" r="6"/></g>
"##
    );
    let mut generated = false;
    for (index, line) in lines.iter().enumerate().filter(|(_, line)| !line.is_empty()) {
        generated |= line.starts_with("GENERATED");
        let class = match index {
            0 => 'c',
            2 => 'h',
            3..=5 => 'm',
            _ if generated => 'g',
            _ if ["Due", "Remaining", "Backlog"].iter().any(|it| line.starts_with(it)) => 'h',
            _ if line.starts_with(' ') => 'm',
            _ => 't',
        };
        let text = line.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let y = 64 + LINE * index;
        writeln!(svg, r#"  <text x="24" y="{y}" class="{class}" xml:space="preserve">{text}</text>"#)
            .unwrap();
    }
    svg + "</svg>\n"
}
