"""Record a terminal session of the demo as an SVG, from a real run.

    python tools/record_terminal.py docs/img/terminal.svg

The repository is cloned into a temporary folder, the commands run there under a pseudo-terminal, and every line is kept
with the time at which it came. The SVG shows the lines in that order, with pauses shortened to :data:`LONGEST_PAUSE`. A
viewer that does not animate shows everything at once. With ``--times``, which is for a machine without other work, the
right-hand column has the real seconds and the last line the CPU.
"""

from __future__ import annotations

import argparse
import html
import os
import platform
import pty
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RUN = "snakemake results/eer_bs4.txt --cores 2 --quiet rules host"
# The demo's own wavs are made by the workflow, which knows them by their content: touching one changes nothing. So the
# end of the film shows a user's data set, for which the voices of the demo stand in.
PREPARE = "cp -r work/demo/wav my_wavs && cp work/demo/demo_trials.txt my_trials.txt"
MINE = "dataset:\n  root: my_wavs\n  trials: [my_trials.txt]\n"
COMMANDS = [
    RUN,
    "head -n 4 results/eer_bs4.txt",
    RUN,
    PREPARE,
    "cat mine.yaml",
    "snakemake results/eer_bs4.txt --cores 2 --quiet all --configfile mine.yaml",
    "touch my_wavs/id90001/s1/00001.wav",
    f"{RUN} --configfile mine.yaml",
]
COLUMNS, LONGEST_PAUSE, TYPING, SHORTEST_TIMED = 118, 0.8, 0.6, 0.5
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07]*\x07|\x1b[()][A-Z0-9]")
# Left out of the film: empty lines, paths of logs, the table of jobs, and what each call repeats about the machine.
OMITTED = re.compile(
    r"\s*$|Complete log|Config file |Using |Assuming|Building DAG|Provided |Rules claiming|host:|Execute \d|Select jobs"
    r"|Elapsed|Conda environments|Job stats|job +count|-+  -+|\w+ +\d+$|\[\w{3} \w{3} +\d"
)
STEP = re.compile(r"(\d+) of (\d+) steps")  # shown for the last step alone


def lines_of(command, folder):
    """What a command writes to a pseudo-terminal: pairs of seconds since its start and a line, and its seconds in all.

    Ends the recording if the command fails.
    """
    leader, follower = pty.openpty()
    environment = os.environ | {"COLUMNS": str(COLUMNS), "TERM": "dumb", "NO_COLOR": "1"}
    start = time.monotonic()
    process = subprocess.Popen(["sh", "-c", command], cwd=folder, stdout=follower, stderr=follower, env=environment)
    os.close(follower)
    found, rest = [], ""
    while True:
        try:
            chunk = os.read(leader, 4096)
        except OSError:  # the other end is closed
            chunk = b""
        if not chunk:
            break
        *whole, rest = (rest + chunk.decode("utf-8", "replace")).split("\n")
        found += [(time.monotonic() - start, clean(line)) for line in whole]
    os.close(leader)
    if process.wait():
        sys.exit(f"{command}: exit code {process.returncode}\n" + "\n".join(line for _, line in found))
    return [(seconds, line) for seconds, line in found if is_shown(line)], time.monotonic() - start


def is_shown(line):
    """Whether a line is in the film."""
    step = STEP.match(line)
    return not OMITTED.match(line) and (step is None or step[1] == step[2])


def clean(line):
    """A line as it ends up on the screen: without escapes, and after its last carriage return."""
    return ESCAPES.sub("", line).rstrip("\r").rpartition("\r")[2].rstrip()


def record(folder):
    """Rows ``(time of the film, real seconds or None, text, whether it was typed)``."""
    rows, film = [], 0.0
    for command in COMMANDS:
        film += TYPING
        rows.append((film, None, f"$ {command}", True))
        lines, total = lines_of(command, folder)
        before = 0.0
        for seconds, line in lines:
            film += min(seconds - before, LONGEST_PAUSE)
            before = seconds
            rows.append((film, seconds if total > SHORTEST_TIMED else None, line, False))
        if total > SHORTEST_TIMED:
            rows[-1] = (film, total, *rows[-1][2:])
    return rows


def cpu():
    """The machine in words."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
        name = re.search(r"model name\s*: (.*)", text)[1]
    except (OSError, TypeError):
        name = platform.processor() or platform.machine()
    return f"{name.strip()}, {os.cpu_count()} cores"


def drawing(rows, caption):
    """The SVG."""
    size, step, left, top = 13, 19, 14, 46
    width, height = int(COLUMNS * size * 0.602) + 2 * left + 60, top + step * len(rows) + 40
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img" aria-label="{html.escape(caption)}">',
        "<style>text{font:13px ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace;fill:#d5dae0;white-space:pre}"
        ".c{fill:#8fd18f;font-weight:bold}.t{fill:#7d8794;text-anchor:end}.n{fill:#7d8794}"
        "g{animation:h 0s step-end}@keyframes h{0%,100%{opacity:0}}"
        "@media(prefers-reduced-motion:reduce){g{animation:none!important}}</style>",
        f'<rect width="{width}" height="{height}" rx="8" fill="#1b1f24"/>',
        '<circle cx="20" cy="18" r="6" fill="#e0605a"/><circle cx="40" cy="18" r="6" fill="#e0b85a"/>'
        '<circle cx="60" cy="18" r="6" fill="#6abf69"/>',
    ]
    for number, (when, seconds, text, typed) in enumerate(rows):
        y = top + step * number
        shown = text if len(text) <= COLUMNS else f"{text[: COLUMNS - 1]}…"
        mark = ' class="c"' if typed else ""
        beside = "" if seconds is None else f'<text x="{width - left}" y="{y}" class="t">{seconds:.1f} s</text>'
        parts.append(
            f'<g style="animation-duration:{when:.2f}s"><text xml:space="preserve" x="{left}" y="{y}"{mark}>'
            f"{html.escape(shown)}</text>{beside}</g>"
        )
    parts.append(f'<text x="{left}" y="{height - 14}" class="n">{html.escape(caption)}</text></svg>')
    return "\n".join(parts) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path, help="the SVG")
    parser.add_argument("--times", action="store_true", help="show the real seconds and the CPU")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "clone"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
        (folder / "mine.yaml").write_text(MINE, encoding="utf-8")
        rows = record(folder)
    caption = "A real run of the demo. Snakemake's lines on the machine, progress and logs are omitted, "
    caption += "pauses shortened"
    caption += f"; seconds at the right are real. {cpu()}." if options.times else "."
    if not options.times:
        rows = [(when, None, text, typed) for when, _, text, typed in rows]
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(drawing(rows, caption), encoding="utf-8")


if __name__ == "__main__":
    main()
