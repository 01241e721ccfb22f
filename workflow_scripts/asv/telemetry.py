"""OpenVINO and NNCF tell their maker how they are used, unless they are told not to: here they never do."""

from __future__ import annotations

import os
import sys


def off() -> None:
    """Keep both from reporting; called before the first of them is imported, since they look only then.

    NNCF heeds a variable of the environment. OpenVINO has none that means this alone, but does without where the
    package that would send is not there.
    """
    os.environ["NNCF_CI"] = "1"
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # an import of it fails, as documented
