"""Where things are."""

from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
SCRIPTS = REPO / "workflow_scripts"
SHARED = REPO.parent / "shared"
STAND_IN = REPO / "tests" / "stand_in"  # for PYTHONPATH: torch_aie and mindietorch, on the CPU
