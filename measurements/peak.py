"""Run a command; write its wall and CPU time and peak memory to a JSON file. Usage: peak.py REPORT COMMAND...

A process of its own, without the imports of what calls it: the peak that Linux reports of a child starts at the size of
the process that it was forked from.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import threading
import time
from pathlib import Path

INTERVAL = 0.02  # seconds between looks at the anonymous memory


def anonymous_bytes(pid):
    """What a process holds for itself: resident, and no page of a file, which the system may drop at any time."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:  # it has ended
        return 0
    return sum(1024 * int(line.split()[1]) for line in lines if line.startswith("RssAnon:"))


def main():
    report, *command = sys.argv[1:]
    started = time.perf_counter()
    child = subprocess.Popen(command)
    most, ended = [0], threading.Event()

    def watch():
        while not ended.wait(INTERVAL):
            most.append(max(most.pop(), anonymous_bytes(child.pid)))

    watcher = threading.Thread(target=watch)
    watcher.start()
    code = child.wait()
    seconds = time.perf_counter() - started
    ended.set()
    watcher.join()
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    facts = {
        "seconds": seconds,
        "cpu_seconds": usage.ru_utime + usage.ru_stime,  # tells of a busy machine, where it is not the wall time
        "peak_bytes": 1024 * usage.ru_maxrss,  # of the largest process
        "anonymous_bytes": most[0],
    }
    Path(report).write_text(json.dumps(facts))
    sys.exit(code)


if __name__ == "__main__":
    main()
