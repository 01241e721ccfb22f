"""Write the comments of config.yaml and docs/settings.md from schemas/config.schema.json, or check them.

The schema holds everything that is said about a setting: its default, its bounds, and as annotations its
``description``, its ``unit``, and what becomes ``stale`` when it changes.

    python tools/settings.py --write     # after a change of the schema
    python tools/settings.py             # only names the files that differ; exit code 1 if there are any
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import textwrap
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
SCHEMA = ROOT / "schemas" / "config.schema.json"
WIDTH = 120
CONFIG_HEAD = """\
# Every setting with its default, grouped by stage. Override single ones with
#   snakemake --config 'dataset={root: /data/VoxCeleb1}' precision=bf16
# or keep a file of your own with only what differs:  snakemake results/eer_bs4.txt --configfile mine.yaml
# (targets stand before --configfile, which takes all words that follow it for files). In paths ~ is expanded, variables
# are not. --config dataset.root=... does not reach into a group: Snakemake refuses it.
# docs/settings.md tells what becomes stale when a setting changes. The comments are made from
# schemas/config.schema.json by tools/settings.py.
"""
PAGE_HEAD = """\
# Settings

简体中文：[settings.zh-CN.md](settings.zh-CN.md)

All settings are in `config.yaml` with their defaults. This page and the comments of that file are made from
`schemas/config.schema.json` by `python tools/settings.py --write`.

## How to set them

Override single settings with `--config 'dataset={root: X}' precision=bf16` (groups are merged; `--config
dataset.root=X` is refused by Snakemake), or many with a file of your own and `--configfile`. Unknown keys and wrong
values are refused before any work, with the nearest known name and the file that has them. `~` in paths is expanded,
variables such as `$DATA` are not.

The workflow may be used from any folder (`--snakefile <checkout>/Snakefile`) and as a module; the defaults are always
those of the `config.yaml` beside its Snakefile. A `config.yaml` in the folder where you work is yours if it has a
setting of this workflow, and is laid over the defaults; one without is another workflow's, and a note says that it is
not used. A module statement's `config:` replaces all files; add `onstart: asv.onstart()` below it (`asv` being the
module's name), since Snakemake does not run a module's checks at the start by itself. With `prefix:`, paths of the
archive and of lists must be absolute, or Snakemake puts the prefix before them.

The last column says what is recomputed when a setting changes; whatever depends on that is recomputed as well.
"""


def flow(value):
    """A value as YAML writes it on one line."""
    return yaml.safe_dump(value, default_flow_style=True, width=10**6).removesuffix("\n").removesuffix("\n...")


def remark(part):
    """What a comment in config.yaml says of a setting or group."""
    return part["description"] + (f" [{part['unit']}]" if "unit" in part else "")


def commented(line, text, indent):
    """A line of YAML with its comment: behind it where both fit, else above it."""
    beside = f"{line} # {text}"
    if len(beside) <= WIDTH:
        return [beside]
    pad = " " * indent + "# "
    return [*textwrap.wrap(text, WIDTH, initial_indent=pad, subsequent_indent=pad, break_on_hyphens=False), line]


def group_lines(properties, indent=0):
    """Lines of config.yaml; a group with the settings of one above it is an alias of that one."""
    lines, anchors = [], {}
    for name, part in properties.items():
        pad, inner = " " * indent, part.get("properties")
        twins = [other for other, settings in anchors.items() if inner and settings == inner]
        has_twin = inner and sum(inner == other.get("properties") for other in properties.values()) > 1
        if indent == 0 and lines and (inner or lines[-1].startswith(" ")):
            lines.append("")
        if twins:
            lines += commented(f"{pad}{name}: *{twins[0]}", remark(part), indent)
        elif inner:
            anchors[name] = inner
            lines += commented(f"{pad}{name}:{f' &{name}' if has_twin else ''}", remark(part), indent)
            lines += group_lines(inner, indent + 2)
        else:
            lines += commented(f"{pad}{name}: {flow(part['default'])}", remark(part), indent)
    return lines


def config_text(schema):
    """The shipped config.yaml."""
    return "\n".join([CONFIG_HEAD, *group_lines(schema["properties"]), ""])


def bounds(part):
    """The values that a setting accepts, in words."""
    if "enum" in part:
        return ", ".join(f"`{flow(value)}`" for value in part["enum"])
    if "const" in part:
        return f"`{flow(part['const'])}`"
    if "anyOf" in part:
        return " or ".join(bounds(option) for option in part["anyOf"])
    kinds = part["type"] if isinstance(part["type"], list) else [part["type"]]
    words = {"array": "list", "object": "mapping", "boolean": "`true`, `false`", "null": "`null`"}
    text = " or ".join(words.get(kind, kind) for kind in kinds)
    if "array" in kinds and "items" in part:
        kind, comma, rest = bounds(part["items"]).partition(",")
        text = f"list of {kind.replace('string', 'strings').replace('integer', 'integers')}{comma}{rest}"
    if "expected" in part:
        text += f": {part['expected']}"
    limits = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤"}
    found = [f"{sign} {flow(part[key])}" for key, sign in limits.items() if key in part]
    even = [f"a multiple of {part['multipleOf']}"] if "multipleOf" in part else []
    return ", ".join([text, *found, *even])


def linked(text):
    """Text in which pages of docs/ are links, as seen from there."""
    return re.sub(r"\bdocs/([\w.-]+\.md)\b", r"[\1](\1)", text)


def leaves(properties, prefix=""):
    """Dotted names of all settings below a group, with their parts of the schema."""
    for name, part in properties.items():
        if "properties" in part:
            yield from leaves(part["properties"], f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", part


def table(rows):
    """Lines of the table of some settings."""
    yield "| setting | default | values | meaning | a change makes stale |"
    yield "| --- | --- | --- | --- | --- |"
    for name, part in rows:
        default = flow(part["default"]) + (f" {part['unit']}" if "unit" in part and part["default"] is not None else "")
        unit = f" In {part['unit']}." if "unit" in part else ""
        cells = (f"`{name}`", f"`{default}`", bounds(part), linked(part["description"]) + unit, part["stale"])
        yield "| " + " | ".join(cells) + " |"


def sections(properties):
    """Pairs of a heading and settings: a group each, the settings outside groups together, where they first occur."""
    single = [(name, part) for name, part in properties.items() if "properties" not in part]
    for name, part in properties.items():
        if "properties" not in part:
            if name == single[0][0]:
                yield "Engine, batch sizes and work", "", single
        else:
            inner = [g for g in part["properties"].values() if "properties" in g]
            said = " ".join([part["description"], *(group["description"] for group in inner)])
            yield name, said, list(leaves(part["properties"], f"{name}."))


def page_text(schema):
    """docs/settings.md."""
    lines = [PAGE_HEAD]
    for name, said, rows in sections(schema["properties"]):
        paragraph = textwrap.wrap(linked(said), WIDTH, break_on_hyphens=False, break_long_words=False)
        lines += [f"## {name}", "", *paragraph, *([""] if paragraph else []), *table(rows), ""]
    return "\n".join(lines)


def texts():
    """What the files should hold, by path below the repository."""
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    return {"config.yaml": config_text(schema), "docs/settings.md": page_text(schema)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="write the files instead of comparing them")
    options = parser.parse_args()
    differ = []
    for name, text in texts().items():
        path = ROOT / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            differ.append(name)
            if options.write:
                path.write_text(text, encoding="utf-8")
    print(f"{'written' if options.write else 'differ from the schema'}: {', '.join(differ) or 'none'}")
    sys.exit(bool(differ) and not options.write)


if __name__ == "__main__":
    main()
