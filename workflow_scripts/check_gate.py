"""Fail if an engine in the benchmark's table does not pass the accuracy gate; every failing row is named."""

from __future__ import annotations

from pathlib import Path

from asv import caveats, cli, files
from asv.errors import InputError


def main():
    parser = cli.parser(__doc__)
    parser.add_argument("--table", type=Path, required=True, help="JSON of tabulate_benchmarks.py")
    parser.add_argument("--output", type=Path, required=True, help="text: how many rows passed")
    options = parser.parse_args()
    table = files.read_json(options.table)
    rows = [row for row in table["rows"] if row["status"] == "ok"]
    absent = len(table["rows"]) - len(rows)
    if not rows:
        raise InputError(f"the accuracy gate has nothing to check: this machine can run none of {absent} rows")
    failing = [row for row in rows if row["gate"] == "FAIL"]
    listing = "".join(f"\n  {r['engine']}, batch size {r['batch_size']}: {'; '.join(r['faults'])}" for r in failing)
    if failing:
        raise InputError(f"{len(failing)} of {len(rows)} rows fail the accuracy gate (accuracy_gate):{listing}")
    others = f"; {absent} that this machine cannot run were not checked" if absent else ""
    files.write_text(options.output, "\n".join([f"all {len(rows)} rows pass{others}", *caveats.of_table(table), ""]))


if __name__ == "__main__":
    cli.run(main)
