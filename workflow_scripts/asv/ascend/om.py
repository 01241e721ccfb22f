"""Ascend NPUs through CANN's own converter: ONNX, ``atc``, an .om file, and ais_bench or pyACL.

It compiles without an NPU, and runs without torch: so what the reference makes of a few inputs travels with the file
(:mod:`asv.inference.artefact`), and is compared when it is loaded.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from ..engine_interface import CompileFacts, Job, SessionFacts
from ..errors import InputError
from . import atc, om_file, om_session
from .plugin import cann_version


class OmRoad:
    """The road through .om files, as an engine; see :mod:`asv.engine_interface` for the contract."""

    name = "ascend_om"
    compiles_on_device = False  # atc needs no NPU, so compilation holds none

    def artefact(self, job: Job) -> str:
        """Name of the artefact's file."""
        return f"ecapa_tdnn_bs{job.batch_size}.om"

    def compile_artefact(self, network: Path, folder: Path, job: Job) -> CompileFacts:
        if job.shape[1] is None:
            raise InputError(
                "ascend_om: whole utterances have lengths of their own, and a compiled model has one shape; set "
                "features.frames"
            )
        path = folder.absolute() / self.artefact(job)
        if faults := list(om_file.path_faults(path)):
            raise InputError(f"ascend_om: {faults[0]}")
        # A folder of its own: atc leaves files beside it, and would take those of another compilation for its own.
        with tempfile.TemporaryDirectory(prefix="atc-", dir=folder.absolute()) as place:
            own = Path(place)
            shutil.copyfile(network, own / atc.NETWORK)  # a copy: atc and ais_bench take no links
            made = atc.run(job, own)
            version = atc.version_in(made.path)
            os.replace(made.path, path)
        if faults := list(om_file.access_faults(path)):
            raise InputError(f"ascend_om: {faults[0]}")
        facts: CompileFacts = {"artefact": path.name, "cann": cann_version(), "atc": version}
        if stand_in := atc.stand_in(made.output):
            facts["stand_in"] = stand_in
        return facts

    def load(self, folder: Path, job: Job) -> om_session.Session:
        path = folder.absolute() / self.artefact(job)
        faults = list(om_file.path_faults(path))
        try:
            faults += [problem] if (problem := om_file.header_fault(path)) else om_file.access_faults(path)
        except OSError as error:
            faults.append(f"{path}: {error.strerror}; delete {folder} and run again")
        if faults:
            raise InputError("ascend_om: " + "\n  ".join(faults))
        backend, model = om_session.opened(path, job.device or 0, job.options.get("backend", om_session.AUTO))
        facts: SessionFacts = {
            "precision": job.precision,
            "precision_from": "request",
            "threads": job.threads,
            "cann": cann_version(),
            "backend": backend,
        }
        if model.stand_in:
            facts["stand_in"] = model.stand_in
        return om_session.Session(model, job, path, facts)
