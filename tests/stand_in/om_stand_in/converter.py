"""``atc``: checks as the converter does, and carries the ONNX model in the file that it writes.

All messages go to stdout but those of the command line's form; the exit status is 0 or 255. What it does not know it
refuses: it carries static shapes and ONNX alone.
"""

import contextlib
import fcntl
import os
import signal
import sys
from pathlib import Path

from . import BUILT_BY, STAND_IN, faults, om_file, options, setting
from .options import RefusedError, UsageError

BEGUN = "ATC start working now, please wait for a moment.\n..."
DONE = "ATC run success, welcome to the next use."
FAILED = "ATC run failed, Please check the detail log, Try 'atc --help' for more information"
WARNED = "W11001: Op [Squeeze] does not hit the high-priority operator information library, ..."
NO_DRIVER = (
    "atc.bin: error while loading shared libraries: libascend_hal.so: cannot open shared object file: No such file"
)
# What is said with codes that are played as faults.
PLAYED = {
    "EC0010": "Failed to import Python module [ModuleNotFoundError: No module named 'decorator'].",
    "E40000": "Failed to import Python module [No module named 'te'].",
    "E40002": "The Python version is not supported.",
    "E10041": "Failed to load the model file.",
    "E10501": "IR for Op Foo is not registered.",
    "E13004": "Failed to open the output file for writing.",
    "E19999": "Inner Error! The opp version of the model does not match that of the system.",
    "EZ3003": "No supported Ops kernel and engine are found for [Conv_1], optype [Conv].",
    "EZ9999": "Inner Error!",
    "E80001": "Failed to compile Op [Conv_1]. The ops package of Ascend310P is not installed.",
}


def framed(code, text):
    """An error line as the versions of CANN write it."""
    major = setting("ATC", "8")
    if major == "7":
        return f"{code}: {text}"
    where = f"{code}: [PID: {os.getpid()}] 2026-01-01-00:00:00.000.001 {text}"
    return where if major == "8" else where.replace("[", "").replace("]", "")


def main(words):
    """The exit status; what is said is printed."""
    if "no-driver" in faults() and "devlib" not in os.environ.get("LD_LIBRARY_PATH", ""):
        print(NO_DRIVER, file=sys.stderr)
        return 127
    try:
        found = options.parse(words)
    except UsageError as error:
        print(error, file=sys.stderr)
        return 255
    print(f"STAND-IN: {STAND_IN}")
    if "help" in found:
        print("atc, a stand-in: --framework=5 --model --output --soc_version --input_shape ...")
        return 0
    if found.get("mode") == "6":
        return describe(found.get("om", ""))
    print(BEGUN, flush=True)
    try:
        convert(found, words)
    except RefusedError as error:
        print(f"{FAILED}\n{framed(error.code, error.text)}")
        return 255
    print(f"{DONE}\n{WARNED}")
    return 0


def describe(path):
    """``--mode=6``: where a file comes from. That the real one writes it in this form is presumed."""
    facts, _ = om_file.read(path)
    for name in ("cmdline", "atc_version", "soc_version"):
        print(f"{name}: [{facts[name]}]")
    return 0


@contextlib.contextmanager
def working_folder():
    """Side files go to the current folder, so two jobs in one overwrite each other's: presumed, and refused."""
    Path("kernel_meta").mkdir(exist_ok=True)
    with open("kernel_meta/lock", "w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RefusedError("E19999", "presumed: another job works in the same folder") from None
        yield
        Path("fusion_result.json").write_text("[]")


def convert(found, words):
    options.check(found)
    for code in sorted(fault[4:] for fault in faults() if fault.startswith("atc-")):
        raise RefusedError(code, PLAYED[code])
    if "killed" in faults():
        os.kill(os.getpid(), signal.SIGKILL)
    from .network import prepare  # ONNX, which --help and a wrong option do not need

    with working_folder():
        facts, content = prepare(found)
        facts |= {"cmdline": " ".join(["atc", *words]), "atc_version": BUILT_BY, "stand_in": STAND_IN}
        output = Path(found["output"] + ".om")
        try:
            output.parent.mkdir(parents=True, exist_ok=True)
            write(output, facts, content)
        except OSError as error:
            raise RefusedError("E13004", f"Failed to open file [{output}]. Reason: {error.strerror}") from error


def write(output, facts, content):
    if "nothing-written" in faults():
        return
    om_file.write(output, facts, content, truncated="truncated" in faults())
    if "two-files" in faults():
        om_file.write(output.with_name(f"{output.stem}_linux_x86_64.om"), facts, content, dynamic=True)
    if "with-system" in faults():
        output.rename(output.with_name(f"{output.stem}_linux_x86_64.om"))
    if "open-to-all" in faults():
        output.chmod(0o666)
