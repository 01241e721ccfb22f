"""A private Slurm of one node on loopback: started, looked at and stopped by tests, or by hand.

``python tests/slurm/private_slurm.py start FOLDER`` prints what to export; ``... stop FOLDER`` ends it. It needs root
and Debian's packages ``slurmctld slurmd slurm-client munge``; no systemd, no cgroups. All its files are in the folder.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from string import Template

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "srun")
DAEMONS = ("slurmd", "slurmctld", "munged")  # in the order of their end


def missing():
    """Why there can be no private Slurm here, or None."""
    if os.geteuid() != 0:
        return "Slurm's daemons need root"
    if absent := [name for name in PROGRAMS if shutil.which(name) is None]:
        return f"not installed: {', '.join(absent)} (Debian: apt-get install slurmctld slurmd slurm-client munge)"
    return None


class PrivateSlurm:
    """A context manager; what is inside runs with :attr:`environment`."""

    def __init__(self, folder, cpus=8, memory_mb=64000):
        self.folder = Path(folder).resolve()
        self.cpus, self.memory_mb = cpus, memory_mb
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("SLURM_", "SBATCH_"))},
            "SLURM_CONF": str(self.folder / "slurm.conf"),
            "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
        }

    def __enter__(self):
        try:
            self._write_configuration()
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def command(self, *arguments, timeout=60):
        """Output of one of Slurm's commands."""
        done = subprocess.run(arguments, env=self.environment, capture_output=True, text=True, timeout=timeout)
        if done.returncode:
            raise RuntimeError(f"{' '.join(arguments)}: {done.stdout}{done.stderr}")
        return done.stdout

    def jobs(self):
        """What Slurm knows of every job so far, by job id: scontrol's names and values."""
        output = self.command("scontrol", "show", "job", "--oneliner")
        records = [dict(re.findall(r"(\S+?)=(\S*)", line)) for line in output.splitlines() if "JobId=" in line]
        return {record["JobId"]: record for record in records}

    def stop(self):
        """End all jobs and daemons, and wait until they are gone."""
        if (self.folder / "slurmctld.pid").exists():
            with suppress(RuntimeError, subprocess.TimeoutExpired):
                self.command("scancel", "--user=root")
                _wait(lambda: not self.command("squeue", "--noheader"), 20)
        for name in DAEMONS:
            with suppress(OSError, ValueError):
                _end(int((self.folder / f"{name}.pid").read_text()))

    def _write_configuration(self):
        for name in ("state", "spool", "bin"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o755)  # munge refuses a socket in a closed folder
        key = self.folder / "munge.key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o600)
        host = socket.gethostname().partition(".")[0]
        controller_port, node_port = _free_ports(2)
        template = Template(Path(__file__).with_name("slurm.conf").read_text())
        settings = {"cpus": self.cpus, "memory_mb": self.memory_mb, "folder": self.folder, "host": host}
        (self.folder / "slurm.conf").write_text(
            template.substitute(settings, controller_port=controller_port, node_port=node_port)
        )
        (self.folder / "gres.conf").write_text(f"NodeName={host} Name=npu Count=1\n")
        # v1 is loaded without being used; the plugin that would choose by itself fails where no cgroup is mounted.
        (self.folder / "cgroup.conf").write_text("CgroupPlugin=cgroup/v1\n")
        # The executor plugin runs srun in its jobs without SLURM_CONF, which only clusters with a usual one bear.
        srun = self.folder / "bin" / "srun"
        srun.write_text(f'#!/bin/sh\nSLURM_CONF={self.folder}/slurm.conf exec {shutil.which("srun")} "$@"\n')
        srun.chmod(0o755)

    def _start(self):
        folder = self.folder
        self._daemon(
            "munged",
            "--force",
            f"--key-file={folder}/munge.key",
            f"--socket={folder}/munge.socket",
            f"--pid-file={folder}/munged.pid",
            f"--log-file={folder}/munged.log",
            f"--seed-file={folder}/munge.seed",
        )
        self._daemon("slurmctld", "-c")
        self._daemon("slurmd", "-c")
        if not _wait(lambda: self._node_state() == "idle", 60):
            logs = "".join(path.read_text()[-3000:] for path in folder.glob("*.log"))
            raise RuntimeError(f"Slurm's node is {self._node_state()!r} after a minute\n{logs}")

    def _daemon(self, *command):
        """Start one that goes into the background by itself."""
        log = self.folder / f"{command[0]}.start"
        with log.open("w") as stream:
            done = subprocess.run(command, env=self.environment, stdout=stream, stderr=stream, timeout=60)
        if done.returncode:
            raise RuntimeError(f"{command[0]} did not start:\n{log.read_text()}")

    def _node_state(self):
        with suppress(RuntimeError):
            return self.command("sinfo", "--noheader", "--format=%T").strip()
        return "unknown"


def _free_ports(count):
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def _wait(condition, seconds):
    """Whether the condition held within so many seconds."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.2)
    return True


def _end(process):
    """Ask a process to end; insist after ten seconds."""
    os.kill(process, signal.SIGTERM)
    if not _wait(lambda: not Path(f"/proc/{process}").exists(), 10):
        os.kill(process, signal.SIGKILL)


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in ("start", "stop"):
        sys.exit(__doc__)
    slurm = PrivateSlurm(sys.argv[2])
    if sys.argv[1] == "stop":
        slurm.stop()
    elif reason := missing():
        sys.exit(reason)
    else:
        slurm.__enter__()
        print(f"export SLURM_CONF={slurm.environment['SLURM_CONF']} PATH={slurm.folder / 'bin'}:$PATH")


if __name__ == "__main__":
    main()
