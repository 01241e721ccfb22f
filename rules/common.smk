# What all stages share: the checked configuration, and functions that rules call. No rules here.
import functools
import itertools
import json
import os
import shlex
import sys
from importlib import metadata
from pathlib import Path

from snakemake.common.configfile import load_configfile
from snakemake.exceptions import WorkflowError
from snakemake.io import get_wildcard_names

SCRIPTS = Path(str(workflow.current_basedir)).parent / "workflow_scripts"
sys.path.insert(0, str(SCRIPTS))

from asv import code, engines
from asv.ascend import toolchain
from asv.dataset import tree
from asv.demo import corpus
from asv.errors import InputError
from asv.network import archive
from asv.scoring import formats
from asv.snakefile import config_files, failures
from asv.snakefile.config import check, settings
from asv.trials import protocols


def checked(function, *arguments):
    """Call a function of the core; bad input ends Snakemake with a message instead of a traceback."""
    try:
        return function(*arguments)
    except InputError as error:
        raise WorkflowError(f"error: {error}") from None
    except OSError as error:  # a full disk, a folder that may not be written to
        raise WorkflowError(f"error: {error.filename}: {error.strerror}") from None


# As a module with `config:` the workflow has its settings from there, and reads no file.
OF_MODULE = workflow.modifier.skip_configfile
SHIPPED = SCRIPTS.parent / "config.yaml"
OWN, NOTE = (False, None) if OF_MODULE else checked(config_files.of_working_folder, "config.yaml", SHIPPED, settings())
if NOTE and workflow.is_main_process:
    print(f"note: {NOTE}", file=sys.stderr)
if OWN:

    configfile: "config.yaml"


def setting_sources():
    """Where settings may come from, later ones winning: pairs of a name and what is set there."""
    if OF_MODULE:
        return [("config: of the module", config)]
    files = [*(["config.yaml"] if OWN else []), *workflow.config_settings.configfiles]
    found = [(config_files.called(path), load_configfile(path)) for path in (SHIPPED, *files)]
    return [*found, ("--config", dict(workflow.config_settings.config))]


config.update(checked(check, config, setting_sources))
code_digest = functools.cache(code.digest)
versions_of_engine = functools.cache(engines.versions)
ENGINE = engines.label(config["engine"], config["precision"])
DEMO_DATA = config["dataset"]["root"] == "demo"
DEMO_WAVS, DEMO_TRIALS = "work/demo/wav", "work/demo/demo_trials.txt"
DEMO_CHECKPOINTS = {
    "demo": "small, trained on synthetic voices",
    "demo-c512": "full size, untrained: for timing only",
}


def dataset_roots():
    """Folders of the data set, as the user wrote them."""
    root = config["dataset"]["root"]
    if DEMO_DATA:
        return [DEMO_WAVS]
    return [root] if isinstance(root, str) else root


# The demo's speakers are known before its corpus exists, so the graph is the same before and after.
FIND_BY = [config["dataset"]["layout"], config["dataset"]["shared_speakers"]]
TREE = None if DEMO_DATA else checked(tree.find_speakers, dataset_roots(), *FIND_BY)
LAYOUT = "speaker/session/utterance" if DEMO_DATA else TREE.layout
SHARDS = tree.shard_names(corpus.EVALUATION if DEMO_DATA else TREE.speakers, config["shards"])


def trial_lists():
    """Files of the trial lists, existing or made by the workflow."""
    lists = config["dataset"]["trials"] or []
    if lists == "auto":
        return [DEMO_TRIALS] if DEMO_DATA else tree.known_lists(TREE)
    if missing := [path for path in lists if not Path(path).is_file()]:
        raise InputError(f"dataset.trials: no file {missing[0]!r} (seen from {os.getcwd()})")
    return lists


NPU_ENGINES = [name for name in engines.names() if engines.is_npu(name)]
NPU_STAGES = ("compile_engine", "infer", "benchmark_engine")
if "npu" not in workflow.global_resources:  # --resources npu=N was not given: as many jobs at once as devices
    DEVICES = {device for name in NPU_ENGINES for device in config["engines"][name]["devices"]}
    workflow.register_resource("npu", len(DEVICES))
TRIALS = checked(trial_lists)
checked(protocols.protocol_names, TRIALS)
checked(formats.check_format, config["scoring"]["format"])


def cohort():
    """The file of the cohort in a list, which is empty without one."""
    path = config["scoring"]["as_norm"]["cohort"]
    if path is not None and not Path(path).is_file():
        raise InputError(f"scoring.as_norm.cohort: no file {path!r} (seen from {os.getcwd()})")
    return [] if path is None else [path]


COHORT = checked(cohort)


def checkpoint_archive():
    """The archive that the checkpoint is taken from."""
    source = config["checkpoint"]["archive"]
    if source == "demo":
        return os.path.relpath(SCRIPTS.parent / "demo" / "checkpoint.zip")
    if source == "demo-c512":
        return "work/demo/checkpoint_c512.zip"
    if source.startswith(("http://", "https://")):
        return "work/checkpoint/fetched.zip"
    if Path(source).is_dir():
        return archive.checkpoint_in_folder(source)
    if not Path(source).is_file():
        raise InputError(f"checkpoint.archive: no file or folder {source!r} (seen from {os.getcwd()})")
    return source


CHECKPOINT_ARCHIVE = checked(checkpoint_archive)


def refuse_wildcards():
    """Paths that become inputs must not look like patterns: Snakemake has no way to say that a brace is a brace."""
    inputs = {"dataset.trials": TRIALS, "scoring.as_norm.cohort": COHORT, "checkpoint.archive": [CHECKPOINT_ARCHIVE]}
    for name, path in ((name, path) for name, paths in inputs.items() for path in map(str, paths)):
        if found := sorted(get_wildcard_names(path)):
            raise InputError(
                f"{name}: {path!r}: Snakemake takes {{{found[0]}}} in a name for a wildcard; rename it, or give a link "
                "to it that has no braces in its path"
            )


checked(refuse_wildcards)


def checkpoint_source(wildcards, output):
    """What messages call the checkpoint: the user's own file or URL."""
    source = config["checkpoint"]["archive"]
    return source if source.startswith(("http://", "https://")) else CHECKPOINT_ARCHIVE


wildcard_constraints:
    batch=r"[1-9][0-9]*",
    shard=r"[0-9]+-of-[0-9]+",
    engine="|".join(f"{name}-{p}" for name in engines.names() for p in engines.module(name).PRECISIONS),


# Params functions that take `output` are never compared with the last run's, those that do not are: a moved checkout
# or another interpreter of the same versions makes nothing stale; code, settings and versions do.


CONDA = any(str(method) == "conda" for method in workflow.deployment_settings.deployment_method)


def python(wildcards, output):
    """The interpreter: the conda environment's under --sdm conda, else Snakemake's own."""
    return "python" if CONDA else sys.executable


def script(name):
    """Params function: path of a stage's script."""
    return lambda wildcards, output: str(SCRIPTS / name)


def engine_name(wildcards):
    return engines.parse(wildcards.engine)[0]


def stage_code(name):
    """Params function: digest of the code that a script runs."""
    return lambda wildcards: code_digest(SCRIPTS / name)


def stage_versions(name):
    """Params function: versions of the packages that the code imports, whose upgrade makes the stage stale."""
    return lambda wildcards: package_versions(SCRIPTS / name)


@functools.cache
def package_versions(path):
    found = {}
    for package in code.packages(path):
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:  # pyarrow, unless tables are to be Parquet
            found[package] = "missing"
    return found


def engine_code(name, *others):
    """Params function: the same, with the code of the job's engine, and of others."""
    return lambda wildcards: code_digest(SCRIPTS / name, *map(engines.source, (engine_name(wildcards), *others)))


# NPU engines have a toolchain of their own, and devices: settings that say where a job runs, not what it computes.
PLACEMENT = ("python", "env_scripts", "devices")


def engine_settings(wildcards):
    """What config.yaml says of the job's engine."""
    return config["engines"].get(engine_name(wildcards), {})


def engine_command(wildcards, output):
    """Shell words that end in the interpreter of the job's engine."""
    settings = engine_settings(wildcards)
    chosen = settings.get("python") or python(wildcards, output)
    return toolchain.command(chosen, settings.get("env_scripts", []))


def engine_environment(wildcards):
    """The conda environment of the job's engine."""
    return "../envs/npu.yaml" if engines.is_npu(engine_name(wildcards)) else "../envs/cpu.yaml"


def engine_devices(wildcards, output):
    """Options that name the engine's devices."""
    devices = engine_settings(wildcards).get("devices")
    return shlex.join(["--devices", *map(str, devices)]) if devices else ""


def npus(wildcards):
    """Devices that a job takes: the resource ``npu``."""
    return int("devices" in engine_settings(wildcards))


def benchmark_threads(wildcards):
    """All cores, so that nothing runs beside a benchmark; of several devices, as many benchmarks as there are fill them."""
    return max(1, workflow.cores // len(engine_settings(wildcards).get("devices", [0])))


@functools.cache
def toolchain_versions(name):
    """Versions in an NPU engine's toolchain; unknown until Snakemake has made a conda environment."""
    settings = config["engines"][name]
    if CONDA and not settings["python"]:
        return {}
    answer = toolchain.ask(name, settings, sys.executable, "versions")
    if answer["problems"]:
        raise WorkflowError("\n".join(answer["problems"]))
    return answer["facts"]["versions"]


def engine_versions(wildcards):
    """Versions of the packages that the engine depends on."""
    name = engine_name(wildcards)
    return toolchain_versions(name) if engines.is_npu(name) else versions_of_engine(name)


def compiler_versions(wildcards):
    """The same, and those of the reference, with which an artefact is compared before it is written."""
    return {**versions_of_engine("torchscript"), **engine_versions(wildcards)}


def engine_options(wildcards):
    """Options of the engine, JSON."""
    settings = engine_settings(wildcards)
    options = {name: value for name, value in settings.items() if name not in PLACEMENT}
    return json.dumps(settings.get("options", options), sort_keys=True)


def npu_settings(wildcards):
    """Settings of the NPU engines that the configuration uses, or of all, by name; JSON."""
    wanted = {config["engine"], *(engines.parse(label)[0] for label in config["benchmark"]["engines"])}
    used = [name for name in NPU_ENGINES if name in wanted]
    return json.dumps({name: config["engines"][name] for name in used or NPU_ENGINES})


def options_of(settings, *names):
    """Command-line options of settings: ``{"n_fft": 400}`` to ``--n-fft 400``; null settings are left out."""
    chosen = {name: settings[name] for name in sorted(names) if settings[name] is not None}
    return shlex.join(part for name, value in chosen.items() for part in (f"--{name.replace('_', '-')}", str(value)))


@functools.cache
def utterances_of(shard):
    """A shard's stamp and utterance ids. Listed once, before anything is read: what changes later makes the next run."""
    files = checked(tree.shard_files, TREE, shard)
    return tree.stamp(files), [file.utterance for file in files]


def shard_stamp(wildcards):
    """Digest of paths, sizes and times of a shard's wavs: 150,000 wavs as inputs would take minutes (docs/architecture.md)."""
    return "" if DEMO_DATA else utterances_of(wildcards.shard)[0]


def roots(wildcards, output):
    """Not compared: a data set that moves, with its times kept, makes nothing stale."""
    return dataset_roots()


def find_by(wildcards, output):
    """Not compared, and a function because Snakemake would fill in braces: the stamp holds what a layout makes of it."""
    return FIND_BY


@functools.cache
def unsupported(label):
    """Why this machine cannot run an engine and precision, or None. Asked only where benchmarks are wanted."""
    name, _ = engines.parse(label)
    if not engines.is_npu(name):
        return engines.unsupported(label)
    if CONDA or workflow.remote_exec or not workflow.local_exec:  # the devices are elsewhere, or the environment is
        return None
    problems = toolchain.ask(name, config["engines"][name], sys.executable, "devices")["problems"]
    return problems[0].splitlines()[0] if problems else None


def benchmark_files(pattern, reference=True, batches=None):
    """Input function: a file for every engine and batch size to be measured, with or without the reference's."""

    def files(wildcards):
        labels = [label for label in config["benchmark"]["engines"] if not unsupported(label)]
        return collect(
            pattern,
            engine=[label for label in labels if reference or label != engines.REFERENCE],
            batch=batches or config["batch_sizes"],
        )

    return files


def benchmark_rows(wildcards):
    """Rows of the table, engine:batch size."""
    pairs = itertools.product(config["benchmark"]["engines"], config["batch_sizes"])
    return [f"{label}:{batch}" for label, batch in pairs if not unsupported(label)]


def unsupported_rows(wildcards):
    """Rows of what this machine cannot run, engine:batch size:why."""
    pairs = itertools.product(config["benchmark"]["engines"], config["batch_sizes"])
    return [f"{label}:{batch}:{unsupported(label)}" for label, batch in pairs if unsupported(label)]


# Features come before all else (2), so that bad audio ends the run early where it should; where they are deleted after
# use they come last (0), so that few of them are there at once. The stages up to inference have 1.
FEATURES_PRIORITY = 2 if config["features"]["keep"] else 0


def keep_or_temp(path):
    """Features are deleted after use where features.keep is false."""
    return path if config["features"]["keep"] else temp(path)


# Command-line options that the configuration gives to stages.
FEATURE_OPTIONS = " ".join(
    [
        options_of(config["dataset"], "resample", "channels", "min_duration", "max_duration"),
        options_of(config["features"], *(name for name in config["features"] if name != "keep")),
    ]
)
TRACE_OPTIONS = " ".join([options_of(config["features"], "frames"), options_of(config["checkpoint"], "weights")])
BOOTSTRAP_OPTIONS = (
    f"--bootstrap-replicates {config['scoring']['bootstrap']['replicates']}"
    f" --bootstrap-seed {config['scoring']['bootstrap']['seed']}"
)
SCORING_OPTIONS = " ".join(
    [
        options_of(config["scoring"], "format", "on_missing_trial", "subtract_mean"),
        BOOTSTRAP_OPTIONS,
        f"--as-norm-top {config['scoring']['as_norm']['top']}" if COHORT else "",
        "" if config["scoring"]["centroid"]["enabled"] else "--no-centroid",
        f"--centroid-max-duration {config['scoring']['centroid']['max_duration']}",
        f"--centroid-max-scores {config['scoring']['centroid']['max_scores']}",
    ]
)
ANSWER_OPTIONS = " ".join(
    [
        "--demo-data" if DEMO_DATA else "",
        shlex.join(["--demo-checkpoint", DEMO_CHECKPOINTS.get(config["checkpoint"]["archive"], "")]),
    ]
)
