"""Fail if an engine in the benchmark's table does not pass the accuracy gate; every row that does not is named.

A row that is UNDECIDED fails, too, unless --on-undecided is pass, or the data are the demo's, whose few voices could
not decide anything for anybody.
"""

from __future__ import annotations

from pathlib import Path

from asv import caveats, cli, files
from asv.errors import InputError
from asv.scoring import gate


def main():
    parser = cli.parser(__doc__)
    parser.add_argument("--table", type=Path, required=True, help="JSON of tabulate_benchmarks.py")
    parser.add_argument("--on-undecided", choices=("fail", "pass"), default="fail", help="what becomes of UNDECIDED")
    parser.add_argument("--demo-data", action="store_true", help="the data are the demo's: UNDECIDED does not fail")
    parser.add_argument("--output", type=Path, required=True, help="text: how many rows passed")
    options = parser.parse_args()
    table = files.read_json(options.table)
    rows = [row for row in table["rows"] if row["status"] == "ok"]
    absent = len(table["rows"]) - len(rows)
    if not rows:
        raise InputError(f"the accuracy gate has nothing to check: this machine can run none of {absent} rows")
    failing, undecided = ([row for row in rows if row["gate"] == what] for what in (gate.FAIL, gate.UNDECIDED))
    if failing:
        more = f"\n{len(undecided)} more are UNDECIDED:{listing(undecided)}" if undecided else ""
        raise InputError(
            f"{len(failing)} of {len(rows)} rows fail the accuracy gate (accuracy_gate):{listing(failing)}{more}"
        )
    if undecided and options.on_undecided == "fail" and not options.demo_data:
        raise InputError(
            f"{len(undecided)} of {len(rows)} rows are UNDECIDED by the accuracy gate: trials of more speakers would "
            "settle it (docs/metrics.md#the-accuracy-gate); to accept what is not shown to be worse, set "
            f"accuracy_gate.on_undecided: pass{listing(undecided)}"
        )
    text = "\n".join([*outcome(rows, undecided, absent, options.demo_data), *caveats.of_table(table), ""])
    files.write_text(options.output, text)
    print(text, end="")


def listing(rows):
    """A line of each row, with what the gate says."""
    return "".join(f"\n  {r['engine']}, batch size {r['batch_size']}: {'; '.join(r['faults'])}" for r in rows)


def outcome(rows, undecided, absent, demo_data):
    """Lines of what passed."""
    others = f"; {absent} that this machine cannot run were not checked" if absent else ""
    if not undecided:
        return [f"all {len(rows)} rows pass{others}"]
    why = "accepted, since accuracy_gate.on_undecided is pass"
    if demo_data:
        why = "accepted for the demo, whose voices are too few; with data of your own they fail, see on_undecided"
    passed = f"{len(rows) - len(undecided)} of {len(rows)} rows pass{others}"
    return [passed, f"{len(undecided)} are UNDECIDED ({why}):{listing(undecided)}"]


if __name__ == "__main__":
    cli.run(main)
