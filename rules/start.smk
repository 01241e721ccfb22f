# The start of a run: the folder is claimed, old results are set aside, and what can fail at once does. No rules here.
import uuid

from asv import runs
from asv.snakefile import keys, outdated, preflight

FOLDER, LAST_RUN = os.getcwd(), runs.state()
if workflow.is_main_process:
    os.environ[runs.VARIABLE] = uuid.uuid4().hex


envvars:
    runs.VARIABLE,


def begin_run(graph):
    """Once the graph of jobs is known: claim the folder, and tell the scripts of their jobs."""
    if workflow.executor_plugin is None or workflow.dryrun:  # a report, a summary: nothing is made
        if any(word.partition("=")[0] == "--report" for word in sys.argv):  # Snakemake 9.27 says it nowhere else
            checked(graph.require_current)
        return
    if os.getcwd() != FOLDER:
        raise WorkflowError(f"workdir: was set after {FOLDER} had been looked at; set it before the module statement")
    if workflow.dag_settings.allowed_rules:
        raise WorkflowError(
            "--allowed-rules takes whatever lies there for current, whatever it was made from; leave it out, or use --until"
        )
    run = checked(runs.claim, os.environ[runs.VARIABLE], LAST_RUN)
    # Snakemake's lock of another workflow that is at work in the same folder is left alone.
    if run.exclusive and "token" in LAST_RUN and workflow.persistence.locked:
        print("An earlier run was killed; its lock on this folder is taken over.", file=sys.stderr)
        workflow.persistence.unlock()
        # Which takes away the whole folder, where Snakemake 9.27 then looks for it.
        (Path(workflow.persistence.path) / "locks").mkdir(exist_ok=True)
    checked(run.announce, graph.announcement())


# What a job rests on, one param for each rule: asv/snakefile/keys.py.
KEYS = keys.Keys(workflow, begin_run, config)


def stage(job):
    """Name of a job's script: a module's rules may be called otherwise. Empty for an importer's own."""
    return Path(job.params.get("script", "")).stem


def jobs_to_run():
    """Jobs that this run will start, in the order of the data flow."""
    wanted = set(workflow.dag.bfs(workflow.dag.dependencies, *workflow.dag.targetjobs))
    stale = wanted & set(workflow.dag.needrun_jobs())
    return [job for level in workflow.dag.toposorted(stale) for job in level]


def set_outdated_results_aside(jobs):
    """Results that are to be made anew go to results/outdated/, targets first."""
    if workflow.touch:
        return
    if moved := checked(outdated.move, [str(path) for job in reversed(jobs) for path in job.output]):
        print(f"{moved} results are to be made anew; the former ones are in results/outdated/.", file=sys.stderr)


def say_speakers():
    """What was taken for speakers."""
    if not DEMO_DATA:
        print(checked(tree.summary, TREE), file=sys.stderr)


def require_npus(jobs):
    """Try the toolchains of the NPU engines whose jobs are to run, if they run on this machine."""
    for name in sorted({engine_name(job.wildcards) for job in jobs if stage(job) in NPU_STAGES}):
        settings = config["engines"].get(name, {})
        if "devices" in settings and not (CONDA and not settings["python"]):
            checked(toolchain.require, name, settings, sys.executable)


def require_engines(jobs):
    """Engines and precisions that this machine must run, if jobs run on it."""
    labels = {job.wildcards.engine for job in jobs if stage(job) in NPU_STAGES}
    for label in sorted(labels - {label for label in labels if engines.is_npu(engines.parse(label)[0])}):
        if reason := engines.unsupported(label):
            raise WorkflowError(f"error: {label} cannot run here: {reason}")


def space_needed(jobs):
    """Bytes that features and embeddings will take beyond those that are there, by what they are."""
    features = config["features"]
    size = lambda shard: len(utterances_of(shard)[1])
    new = {
        path: preflight.bytes_of_features(
            size(job.wildcards.shard), features["crops"], features["n_mels"], features["frames"]
        )
        for job in jobs
        if stage(job) == "extract_features"
        for path in [str(job.output.features)]
    }
    # Deleted after use, they are there for a few shards at a time.
    kept = new if features["keep"] else dict(sorted(new.items(), key=lambda item: -item[1])[: workflow.cores or 1])
    embeddings = [size(job.wildcards.shard) * preflight.EMBEDDING_BYTES for job in jobs if stage(job) == "infer"]
    there = sum(os.path.getsize(path) for path in kept if os.path.exists(path))
    return {"features": max(0, sum(kept.values()) - there), "embeddings": sum(embeddings)}


def check_inputs(jobs):
    """What the configuration and the user's files can tell before the first job."""
    stages = set(map(stage, jobs))
    made = {str(path) for job in workflow.dag.jobs for path in job.output}
    checked(preflight.check_times, sorted({str(path) for job in jobs for path in job.input} - made))
    checked(preflight.check_folders, ["work", "results", "logs"])
    if "unzip_checkpoint" in stages and config["checkpoint"]["sha256"] and CHECKPOINT_ARCHIVE not in made:
        checked(archive.check_digest, CHECKPOINT_ARCHIVE, config["checkpoint"]["sha256"])
    if not DEMO_DATA:
        checked(preflight.check_space, space_needed(jobs))
        if "score" in stages and (TRIALS or COHORT):
            ids = [name for shard in SHARDS for name in utterances_of(shard)[1]]
            missing = config["scoring"]["on_missing_trial"]
            checked(preflight.check_lists, TRIALS, COHORT[0] if COHORT else None, ids, missing)


def start():
    """All of it, before the first job; under --touch, nothing is made."""
    jobs = jobs_to_run()
    set_outdated_results_aside(jobs)
    if workflow.touch:
        return
    say_speakers()
    check_inputs(jobs)
    if workflow.local_exec:
        require_npus(jobs)
        require_engines(jobs)
