"""Results as HTML pages for the report, which shows pictures and HTML but offers other files as downloads only."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from typing import Any

from ..benchmark import document

STYLE = """
:root { color-scheme: light dark; }
body { font: 14px/1.5 system-ui, sans-serif; margin: 1.5em; color: #111; background: #fff; }
h1 { font-size: 1.4em; } h2 { font-size: 1.15em; margin-top: 2em; }
div.table { overflow-x: auto; }
table { border-collapse: collapse; font-size: 12px; font-variant-numeric: tabular-nums; white-space: nowrap; }
th, td { padding: .3em .5em; text-align: right; vertical-align: top; border-bottom: 1px solid #ccc; }
th:first-child, td:first-child, th:last-child, td:last-child { text-align: left; }
th:first-child, td:first-child { position: sticky; left: 0; background: inherit; }
tr { background: #fff; }
th { border-bottom: 2px solid #888; vertical-align: bottom; white-space: normal; }
td:last-child { white-space: normal; min-width: 9em; }
tr.best { font-weight: bold; }
tr.fail { color: #a30000; }
tr.undecided { color: #7a5200; }
summary { cursor: pointer; margin: .4em 0; }
pre { font-size: 12px; overflow-x: auto; padding: .5em 1em; background: #f3f3f3; }
@media (prefers-color-scheme: dark) {
  body { color: #eee; background: #181818; } pre { background: #262626; } tr { background: #181818; }
  th, td { border-color: #444; } tr.fail { color: #ff9a8a; } tr.undecided { color: #ffc966; }
}
""".strip()


def page(title: str, body: str) -> str:
    """A whole page; it refers to nothing outside."""
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{html.escape(title)}</title>\n'
        f"<style>\n{STYLE}\n</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def from_text(text: str, label: str) -> str:
    """A text as it is, folded away under its label and first line."""
    label, headline, text = (html.escape(part) for part in (label, text.partition("\n")[0], text))
    return f"<details>\n<summary><b>{label}</b>: {headline}</summary>\n<pre>{text}</pre>\n</details>"


def from_benchmarks(benchmarks: Mapping[str, Any]) -> str:
    """The benchmark's table, and what is said of it, from benchmarks.json."""
    return "\n".join(map(_block, document.blocks(benchmarks)))


def _inline(text: str) -> str:
    """A text whose code stands between backticks, as in messages."""
    return re.sub(r"`(.+?)`", r"<code>\1</code>", html.escape(text))


def _block(block: document.Block) -> str:
    if isinstance(block, document.Heading):
        return f"<h{block.level}>{_inline(block.text)}</h{block.level}>"
    if isinstance(block, document.Table):
        rows = [_row(block.header, "th"), *(_row(cells, "td", kind) for cells, kind in zip(block.rows, block.kinds))]
        return "\n".join(['<div class="table"><table>', *rows, "</table></div>"])
    text = _inline(" ".join(block.lines))
    return f"<p><b>{text}</b></p>" if block.strong else f"<p>{text}</p>"


def _row(cells: Sequence[str], tag: str, kind: str = "") -> str:
    return f'<tr class="{kind}">' + "".join(f"<{tag}>{_inline(cell)}</{tag}>" for cell in cells) + "</tr>"
