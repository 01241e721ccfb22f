# The start and the end of a run: keys of the jobs, what onstart and onsuccess do. No rules here.
import uuid

from asv import runs
from asv.snakefile import ending, forgotten, job_keys, left_over, start as beginning

BEFORE = beginning.before()
if SNAKEMAKE.is_main_process:
    os.environ[runs.VARIABLE] = uuid.uuid4().hex


envvars:
    runs.VARIABLE,


def begin_run(graph):
    """Once the graph of jobs is known: claim the folder, and tell the scripts of their jobs."""
    if warning := forgotten.warning(SNAKEMAKE, config, OWN):
        print(warning, file=sys.stderr)
    checked_in_graph(beginning.begin_run, SNAKEMAKE, BEFORE, graph)


# What a job rests on, one param for each rule: asv/snakefile/job_keys.py.
KEYS = job_keys.Keys(SNAKEMAKE, begin_run, config)


def start():
    """All that is to be done and checked before the first job."""
    found = beginning.Inputs(config, DATASET, TRIALS, COHORT, CHECKPOINT_ARCHIVE, FEATURE_SETS)
    checked(beginning.start, SNAKEMAKE, found, sys.executable)


def end():
    """After a run that succeeded: its answers, unless --quiet; then the doctor's picture, if it ran, and its exit code.

    Before that, answers that the run has shown to be of other settings are set aside.
    """
    graph = {str(path) for job in SNAKEMAKE.jobs for path in job.output}
    for path in [] if SNAKEMAKE.only_touches else checked(left_over.set_aside, SNAKEMAKE.made, graph):
        print(
            f"{path}.* is of other settings than this run's answers, and was moved to results/outdated/.",
            file=sys.stderr,
        )
    for line in ending.said(SNAKEMAKE):
        print(line, file=sys.stderr)
    picture, code = ending.doctors_finding(os.environ[runs.VARIABLE])
    print(picture, end="", flush=True)
    if code:
        sys.exit(code)
