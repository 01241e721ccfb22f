"""Snakemake command lines that the documentation shows."""

from __future__ import annotations

import re
import shlex

SEPARATORS = {"&&", "||", "|", ";"}


def code(text):
    """Lines of code in Markdown: of blocks of shell, and what stands between backticks, each on one line."""
    blocks = re.findall(r"^```(sh|bash|console|shell)\n(.*?)^```$", text, re.M | re.S)
    for kind, block in blocks:
        lines = block.replace("\\\n", " ").splitlines()
        yield from (line.removeprefix("$ ") for line in lines if kind != "console" or line.startswith("$ "))
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)
    yield from (" ".join(span.split()) for span in re.findall(r"`([^`]+)`", prose))


def command_lines(text):
    """Arguments of every ``snakemake ...`` in Markdown, in order, each once; ValueError where one cannot be read."""
    found = []
    for line in code(text):
        if re.search(r"(?<![\w./=-])snakemake(?![\w./=<>-])", line):
            found.extend(snakemake_arguments(line))
    return list(dict.fromkeys(found))


def snakemake_arguments(line):
    """Arguments of the Snakemake calls in a line of shell, a tuple each."""
    lexer = shlex.shlex(re.sub(r"\s\d?>+\s*&?\S+", "", line), posix=True, punctuation_chars="|&;")
    lexer.whitespace_split = True
    parts = [[]]
    for word in lexer:
        if word in SEPARATORS:
            parts.append([])
        else:
            parts[-1].append(word)
    calls = []
    for part in parts:
        if part[:1] == ["snakemake"]:
            calls.append(tuple(part[1:]))
        elif any(word == "snakemake" for word in part):
            raise ValueError(f"this is no command line that the tests know: {line}")
        else:  # such as sbatch --wrap "snakemake ..."
            calls.extend(call for word in part if word.startswith("snakemake ") for call in snakemake_arguments(word))
    if not calls:
        raise ValueError(f"this names snakemake but does not call it: {line}")
    return calls
