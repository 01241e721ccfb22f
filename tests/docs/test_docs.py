"""Documents: translations in step with the English ones, links that lead somewhere, every setting described."""

import html
import itertools
import re
import types
from pathlib import Path

import jinja2
import pytest
import yaml
from docutils.core import publish_parts
from support.paths import REPO

TRANSLATIONS = [
    ("README.md", "README.zh-CN.md"),
    *((f"docs/{page}.md", f"docs/{page}.zh-CN.md") for page in ("npu", "own-data", "results", "troubleshooting")),
]
COMPARED = ("sh", "yaml")  # kinds of fenced blocks that a translation repeats to the letter, comments apart
SHIPPED = yaml.safe_load((REPO / "config.yaml").read_text(encoding="utf-8"))


def read(name):
    return (REPO / name).read_text(encoding="utf-8")


def documents():
    """Markdown files of the repository, not of what a run or a person left in it."""
    found = (path.relative_to(REPO) for path in REPO.rglob("*.md"))
    return sorted(
        str(p) for p in found if not any(part.startswith(".") or part in ("work", "results") for part in p.parts)
    )


def lines(text):
    """Pairs of the kind of fenced block that a line is in (None outside, "" for a block of no kind), and the line."""
    kind = None
    for line in text.splitlines():
        if match := re.match(r"\s*```(\w*)", line):
            kind = match[1] if kind is None else None
        else:
            yield kind, line


def prose(text):
    return [line for kind, line in lines(text) if kind is None]


def headings(text):
    return [line for line in prose(text) if re.match(r"#+ ", line)]


def level(heading):
    return len(heading) - len(heading.lstrip("#"))


def commands(text):
    """Lines of the compared blocks, with the heading that they are below, without comments."""
    heading, fenced = "the top", []
    for kind, line in lines(text):
        if kind is None and re.match(r"#+ ", line):
            heading = line
        stripped = re.sub(r"(^|\s+)#.*$", "", line).rstrip()
        if kind in COMPARED and stripped:
            fenced.append((heading, stripped))
    return fenced


def table_rows(text):
    """Rows of tables below each heading, in order."""
    counts = [["the top", 0]]
    for line in prose(text):
        if re.match(r"#+ ", line):
            counts.append([line, 0])
        counts[-1][1] += line.startswith("|")
    return counts


@pytest.mark.parametrize(("english", "translation"), TRANSLATIONS)
def test_a_translation_has_the_same_headings(english, translation):
    pairs = list(itertools.zip_longest(headings(read(english)), headings(read(translation)), fillvalue="(none)"))
    side_by_side = "\n".join(f"  {ours}  |  {theirs}" for ours, theirs in pairs)
    assert [level(ours) for ours, _ in pairs] == [level(theirs) for _, theirs in pairs], (
        f"headings of {english} and {translation}, which differ in number or level:\n{side_by_side}"
    )


@pytest.mark.parametrize(("english", "translation"), TRANSLATIONS)
def test_a_translation_has_the_same_commands(english, translation):
    pairs = itertools.zip_longest(commands(read(english)), commands(read(translation)), fillvalue=("the end", "(none)"))
    for (place, ours), (there, theirs) in pairs:
        assert ours == theirs, (
            f"below {place!r} of {english} stands\n  {ours}\nbut below {there!r} of {translation}\n  {theirs}"
        )


def test_the_translation_of_the_npu_page_has_the_same_tables():
    pairs = zip(table_rows(read("docs/npu.md")), table_rows(read("docs/npu.zh-CN.md")))
    for (ours, wanted), (theirs, found) in pairs:
        assert wanted == found, f"tables below {ours!r} have {wanted} lines, below {theirs!r} {found}"


@pytest.mark.parametrize(("english", "translation"), TRANSLATIONS)
def test_languages_name_each_other_at_their_top(english, translation):
    for here, other in ((english, translation), (translation, english)):
        assert f"]({Path(other).name})" in "\n".join(read(here).splitlines()[:5]), f"{here} names no {other} at its top"


@pytest.mark.parametrize(
    ("root", "archive", "demo"),
    [
        ("demo", "/data/c.zip", True),
        ("/data", "demo", True),
        ("/data", "demo-c512", True),
        ("demos/wav", "demos/real.zip", False),
        ("/data", "demonstration.pt", False),
    ],
)
def test_the_report_calls_the_demo_a_demo_and_nothing_else(root, archive, demo):
    config = SHIPPED | {"dataset": {"root": root}, "checkpoint": {"archive": archive}}
    template = jinja2.Template(read("report/workflow.rst"))
    assert ("**DEMO:" in template.render(snakemake=types.SimpleNamespace(config=config))) == demo


@pytest.mark.parametrize("demo", [True, False])
@pytest.mark.parametrize(
    "names", [[], ["eer_bs4.txt"], ["eer_bs1.txt", "eer_bs16.txt"], ["benchmarks.html", "eer_bs4.txt"]]
)
def test_the_report_opens_with_its_headline_figures(tmp_path, names, demo):
    """The figures of the files that the report has, as they are there, whatever stands in a trial list's name."""
    shown = {"benchmarks.txt": "**Fastest** of `all`_\n\n| engine | batch |\n| a*_ | 4 |\n"}
    shown |= {f"eer_bs{batch}.txt": f"EER {batch}.000 %   *list_, `x`\n\n  more\n" for batch in (1, 4, 16)}
    for name, text in shown.items():
        (tmp_path / name).write_text(text)
    results = [
        types.SimpleNamespace(
            path=tmp_path / name,
            job=types.SimpleNamespace(wildcards=types.SimpleNamespace(batch=re.sub(r"\D", "", name))),
        )
        for name in names
    ]
    config = SHIPPED if demo else SHIPPED | {"dataset": {"root": "/data"}, "checkpoint": {"archive": "/c.zip"}}
    environment = jinja2.Environment(trim_blocks=True, lstrip_blocks=True)  # as Snakemake's
    template = environment.from_string(read("report/workflow.rst"))
    text = template.render(snakemake=types.SimpleNamespace(config=config), files=results, categories={})
    body = publish_parts(text, writer_name="html", settings_overrides={"halt_level": 2})["html_body"]
    blocks = re.findall(r'<pre class="literal-block">\n(.*?)\n</pre>', body, re.S)
    wanted = [shown[Path(name).with_suffix(".txt").name] for name in names]
    assert [html.unescape(block) for block in blocks] == [
        text.rstrip("\n") if text.startswith("**") else text.split("\n")[0] for text in wanted
    ]
    headings = re.findall(r"<h[12].*?>(.*?)</h", body)
    assert headings[0] == ("Headline figures" if names else "How the numbers were made")


def anchor(heading):
    """The anchor that GitHub gives a heading."""
    words = re.sub(r"[^\w\- ]", "", heading.lstrip("#").strip().lower())
    return words.replace(" ", "-")


@pytest.mark.parametrize("name", documents())
def test_relative_links_lead_somewhere(name):
    text = re.sub(r"`[^`\n]*`", "", "\n".join(prose(read(name))))
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, part = target.partition("#")
        file = (REPO / name).parent / path if path else REPO / name
        assert file.exists(), f"{name} links to {target}: no such file"
        if part:
            known = [anchor(heading) for heading in headings(file.read_text(encoding="utf-8"))]
            assert part in known, f"{name} links to {target}: no such heading; there are {', '.join(known)}"


def settings(config, prefix=""):
    """Dotted names of all settings of config.yaml."""
    for name, value in config.items():
        if isinstance(value, dict) and value:
            yield from settings(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def described(page):
    """Settings, or groups of them, in first cells of the settings table; names after the first share its group."""
    for line in prose(read(page)):
        names = re.findall(r"`([^`]+)`", line.split("|")[1]) if line.startswith("| `") else []
        if names and names[0].split(".")[0] in SHIPPED:
            yield names[0]
            yield from (".".join([*names[0].split(".")[:-1], name]) for name in names[1:])


@pytest.mark.parametrize("page", ["docs/settings.md", "docs/settings.zh-CN.md"])
def test_every_setting_is_described(page):
    known, told = list(settings(SHIPPED)), list(described(page))
    missing = [name for name in known if not any(name == told_ or name.startswith(f"{told_}.") for told_ in told)]
    assert not missing, f"not in the settings table of {page}: {', '.join(missing)}"
    stale = [name for name in told if not any(k == name or k.startswith(f"{name}.") for k in known)]
    assert not stale, f"in the settings table of {page}, but not in config.yaml: {', '.join(stale)}"


def test_the_tests_see_what_they_should():
    text = "# A\n\n```sh\n# only a comment\nrun --this  # why\n```\n\n## B `x`\n\n| a |\n\n```console\n# out\n```\n"
    assert headings(text) == ["# A", "## B `x`"]
    assert commands(text) == [("# A", "run --this")]
    assert table_rows(text) == [["the top", 0], ["# A", 0], ["## B `x`", 1]]
    assert anchor("## B `x`: y, z") == "b-x-y-z"
    assert list(settings({"a": {"b": 1, "c": {"d": []}}, "e": {}})) == ["a.b", "a.c.d", "e"]
