"""What a failure on the road through .om files means, and how to mend it.

Codes and texts are those of CANN's error guide, of the sources of atc and ais_bench, and of users' reports; the tools'
own words are always shown.
"""

from __future__ import annotations

import re
import signal
import sys
from pathlib import Path

from ..errors import InputError

LONGEST = 2000  # characters of a tool's own words; the last ones say most
ENV_SCRIPTS = (
    "name CANN's set_env.sh in engines.ascend_om.env_scripts (/usr/local/Ascend/ascend-toolkit/set_env.sh, "
    "from 8.5 on /usr/local/Ascend/cann/set_env.sh)"
)
DEVLIB = (
    "this machine has no driver: to compile without one, put 'export LD_LIBRARY_PATH=<toolkit>/latest/<arch>-linux/"
    "devlib:<toolkit>/latest/<arch>-linux/devlib/linux/<arch>:$LD_LIBRARY_PATH' into a file and name it after "
    "set_env.sh in engines.ascend_om.env_scripts; leave it out where an NPU is to run"
)
MODULES = (
    "install what atc imports into the python3 that it finds on the path (not into engines.ascend_om.python, unless "
    "they are one): pip install decorator attrs psutil scipy cloudpickle ml-dtypes tornado synr sympy cffi "
    "'protobuf==3.20.*' 'numpy<2'"
)
LOGS = "the log is below ~/ascend/log/ (export ASCEND_GLOBAL_LOG_LEVEL=1 shows more in it)"
DEVICE = (
    "the device is absent, busy or not permitted: `npu-smi info` lists devices and who holds them, "
    "engines.ascend_om.devices chooses; see to ASCEND_RT_VISIBLE_DEVICES, and that a container has /dev/davinci*"
)
COMPUTING = (
    "the device failed while it computed: lost, reset, or a driver older than CANN (`npu-smi info`); " + LOGS + ". End "
    "jobs by SIGTERM, never by SIGKILL, which can hang a device. The same command again computes only what is missing"
)
PLAIN = "work in a folder whose whole path has A-Z a-z 0-9 - . _ / alone (--directory)"
EXPORT_AGAIN = "delete results/network.onnx, and the same command again"
# What atc says, as a pattern, and the remedy; the first that is found counts, so the particular comes first.
ATC: tuple[tuple[str, str], ...] = (
    (r"lib\w+\.so[\w.]*: cannot open", DEVLIB),
    (r"command not found", ENV_SCRIPTS),
    (r"ops package", "CANN 8.5 and later need the ops package of the chip, {soc}: install it beside the toolkit"),
    (r"EC0010|E40000|No module named", MODULES),
    (r"E40002", "the python3 on the path is of a version that CANN does not take: 3.7 to 3.11, from 8.5 on to 3.13"),
    (r"E19010|E16002", "an operator is not known in this opset: set onnx.opset to 11, 12 or 13"),
    (r"opp version", "the operators are of another CANN than atc: source one set_env.sh alone"),
    (r"--soc_version", "{soc} is refused: `npu-smi info` shows the chip, and 'Ascend' before it is the SoC: "
     "engines.ascend_om.soc_version"),
    (r"E10001.*path|E13026", f"atc refuses the path: {PLAIN}"),
    (r"E10001|E10003|E10004|E10005|E10006|E10007|E10010|E10013|E10054|E10056|unknown command line flag", "atc of this "
     "CANN refuses an option: leave those of engines.ascend_om at their defaults"),
    (r"E10002|E10011|E10014|E10016|E10017|E10049", "the input's name or shape is not that of the graph: "
     f"{EXPORT_AGAIN}"),
    (r"E10021|E10022", f"atc refuses the output's name: {PLAIN}"),
    (r"E10041|E13001|E1600[145]", f"atc cannot read the ONNX file: {EXPORT_AGAIN}"),
    (r"E130(00|04|15)", "atc cannot write: is the disk full, or mounted read-only?"),
    (r"E10501|E14001|EZ3003|E89999", "the chip has no kernel for an operator or its numbers: try another onnx.opset, "
     f"or precision: mixed_float16; {LOGS}"),
    (r"E8\d{4}", "a kernel could not be compiled: is the ops package of {soc} installed, and enough memory and disk "
     f"free? {LOGS}"),
    (r"E19999|EZ9999", f"an error inside atc: {LOGS}. A smaller batch size and fewer threads need less memory"),
)  # fmt: skip
# The same of what runs a compiled model, after the step's name and a colon: ais_bench's and ACL's words and codes.
RUN: tuple[tuple[str, str], ...] = (
    (r"cannot open shared object file", f"CANN's environment is not set, or the driver is missing: {ENV_SCRIPTS}"),
    (r"\b100039\b", "stub libraries are in use: take devlib out of LD_LIBRARY_PATH in engines.ascend_om.env_scripts; "
     "it is for compiling without an NPU"),
    (r"soft link", "ais_bench takes no symbolic links: put the file itself there (cp -L)"),
    (r"writable", "ais_bench takes no file that others may write to: chmod 600 the .om file"),
    (r"illegal char", f"ais_bench takes no such path: {PLAIN}"),
    (r"path:.*illegal", "ais_bench refuses the file: it must end in .om, belong to this user, and be no link"),
    (r"type:.*invalid", "ais_bench takes plain arrays alone; this is a fault of the workflow, please report it"),
    (r"\b(100001|100002|100037)\b", "ACL was begun or ended twice in this process; is torch_npu imported in it? "
     "Uninstall it from engines.ascend_om.python"),
    (r"\b(10700[12]|507033)\b|EL0003|open device|^load:.*runtime failure", DEVICE),
    (r"\b(200000|207001|207018|245002)\b", "the device is out of memory: a smaller batch size, or end what else runs "
     "there (`npu-smi info`)"),
    (r"\b507009\b", "the chip knows no such task: on a part of a card (vNPU) models of CANN 8 and later fail; use the "
     "whole card"),
    (r"\b(10000[03]|10001[1234]|14500[23]|50000[123]|545001)\b|opp version|invalid parameter", "the model cannot be "
     "loaded: it was compiled by a newer CANN than runs here, or for another chip than the device is, or it is "
     "damaged, or the device is busy. Delete {folder} and run again, with the chip of `npu-smi info` in "
     "engines.ascend_om.soc_version"),
    (r"\b100017\b|needsize|general failure", "the batch is not what the model was compiled for: delete {folder} and "
     "run again"),
    (r"\b5070(11|10|14|15|18)\b|EZ9999|runtime failure", COMPUTING),
    (r"AttributeError", "this wheel of ais_bench, or this pyACL, has other names than any known one; set "
     "engines.ascend_om.backend to the other one"),
)  # fmt: skip


def last_line(text: str) -> str:
    """The last line that is not empty."""
    lines = text.strip().splitlines()
    return lines[-1] if lines else "nothing"


def _remedy(table: tuple[tuple[str, str], ...], text: str, otherwise: str, **names: str) -> str:
    for pattern, remedy in table:
        if re.search(pattern, text):
            for name, value in names.items():
                remedy = remedy.replace(f"{{{name}}}", value)
            return remedy
    return otherwise


def no_atc(error: OSError) -> InputError:
    """The converter itself cannot be run."""
    return InputError(f"ascend_om: atc cannot be run: {error.strerror}\n  {ENV_SCRIPTS}")


def atc_failed(status: int, output: str, soc: str) -> InputError:
    """The converter ended with a status that is not 0."""
    end = f"status {status}"
    if status < 0 or (status > 128 and status != 255):
        number = -status if status < 0 else status - 128
        end = f"signal {signal.Signals(number).name}"
        remedy = (
            "something ended it: the memory that the job may use, or its time? A compilation may need 8 GB; fewer "
            "threads and a smaller batch size need less"
        )
    else:
        remedy = _remedy(ATC, output, f"see its words; {LOGS}", soc=soc)
    said = [line for line in output.splitlines() if re.search(r"\b[EW][0-9A-Z]\d{4}\b|ERROR|error", line)]
    words = "\n".join(line for line in said if not re.search(r"\bW[0-9A-Z]\d{4}\b", line)) or last_line(output)
    return InputError(f"ascend_om: atc ended with {end}: {words[-LONGEST:]}\n  {remedy}")


def failed(step: str, error: Exception, folder: Path) -> InputError:
    """A step at run time failed: ``load`` or ``run``. What a library printed beside its exception is in the log."""
    text = str(error).strip() or type(error).__name__
    whole = f"{step}: {type(error).__name__}: {text}"
    remedy = _remedy(RUN, whole, f"see the message; {LOGS}", folder=str(folder))
    return InputError(f"ascend_om: {step} failed: {text[-LONGEST:]}\n  {remedy}")


def import_failed(name: str, error: Exception) -> InputError:
    """``ais_bench`` or ``acl`` cannot be imported."""
    if isinstance(error, ModuleNotFoundError) and error.name in (name, "aclruntime", "acl"):
        remedy = (
            f"{error.name} is not installed in {sys.executable}: {ENV_SCRIPTS}, which brings acl; ais_bench and "
            "aclruntime are wheels of Ascend's tools repository (the packages of PyPI that are called alike are "
            "others)"
        )
    else:
        remedy = _remedy(RUN, str(error), "see the message; `snakemake npu_doctor` shows the whole toolchain")
    return InputError(f"ascend_om: import of {name} failed: {str(error).strip() or type(error).__name__}\n  {remedy}")
