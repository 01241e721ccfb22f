# What all stages share: the checked configuration, and params functions. No rules here; decisions are made in asv/snakefile/.
import functools
import os
import sys
from pathlib import Path

from snakemake.common.configfile import load_configfile
from snakemake.exceptions import WorkflowError

SCRIPTS = Path(str(workflow.current_basedir)).parent / "workflow_scripts"
sys.path.insert(0, str(SCRIPTS))

from asv import code, engines
from asv.errors import InputError
from asv.network import families
from asv.snakefile import config_files, failures, feature_sets, inputs, internals, networks, options, reasons, versions
from asv.snakefile.config import check, settings

SNAKEMAKE = internals.Snakemake(workflow)


def checked(function, *arguments):
    """Call a function of the core; bad input ends Snakemake with a message instead of a traceback."""
    try:
        return function(*arguments)
    except InputError as error:
        raise WorkflowError(f"error: {error}") from None
    except OSError as error:  # a full disk, a folder that may not be written to
        raise WorkflowError(f"error: {error.filename}: {error.strerror}") from None


def checked_in_graph(function, *arguments):
    """As `checked`, while the graph of jobs is built: there Snakemake would bury the message under every job above it."""
    try:
        return function(*arguments)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)


# As a module with `config:` the workflow has its settings from there, and reads no file.
OF_MODULE = SNAKEMAKE.is_configured_module
SHIPPED = SCRIPTS.parent / "config.yaml"
OWN, NOTE = (False, None) if OF_MODULE else checked(config_files.of_working_folder, "config.yaml", SHIPPED, settings())
if NOTE and SNAKEMAKE.is_main_process:
    print(f"note: {NOTE}", file=sys.stderr)
if OWN:

    configfile: "config.yaml"


def setting_sources():
    """Where settings may come from, later ones winning: pairs of a name and what is set there."""
    if OF_MODULE:
        return [("config: of the module", config)]
    files = [SHIPPED, *(["config.yaml"] if OWN else []), *SNAKEMAKE.configfiles]
    found = [(config_files.called(path), load_configfile(path)) for path in files]
    return [*found, ("--config", SNAKEMAKE.config_arguments)]


config.update(checked(check, config, setting_sources))
ENGINE = engines.label(config["engine"], config["precision"])
FEATURE_SET = feature_sets.of_config(config)  # of the answers
FEATURE_SETS = {FEATURE_SET.key: FEATURE_SET}  # all that are made
REFERENCE = networks.reference(config)  # what every other engine is compared with


wildcard_constraints:
    batch=r"[1-9][0-9]*",
    features=r"[0-9a-f]{8}",
    shard=r"[0-9]+-of-[0-9]+",
    engine="|".join(f"{name}-{p}" for name in engines.names() for p in engines.module(name).PRECISIONS),


def path_of(output):
    """The path of another rule's output, for an input. As `rules.x.output` it would name its rule as well, which then runs
    in a cluster's job, too: Snakemake 9.27 follows such names where it should take the file as it lies there."""
    (path,) = collect(output, allow_missing=True)
    return path


# Params functions that take `output` are never compared with the last run's, those that do not are: a moved checkout
# or another interpreter of the same versions makes nothing stale; code, settings and versions do.
code_digest = functools.cache(code.digest)


def setting(text):
    """Params function: settings as words of a command line, which the reason for a rerun shows as settings."""
    return lambda wildcards: reasons.Reason("settings", text)


def python(wildcards, output):
    """The interpreter: the conda environment's under --sdm conda, else Snakemake's own."""
    return "python" if SNAKEMAKE.uses_conda else sys.executable


def script(name):
    """Params function: path of a stage's script."""
    return lambda wildcards, output: str(SCRIPTS / name)


def stage_code(name, *others):
    """Params function: digest of the code that a script runs, and of modules that it loads by their names."""
    return lambda wildcards: reasons.Reason("code", code_digest(SCRIPTS / name, *others))


def network_code(name, *others):
    """Params function: digest of the code that a script runs, the family's module and others included."""
    family = config["network"]["family"]
    own = [] if family in families.BROUGHT else [families.source(family)]
    return stage_code(name, *own, *others)


def stage_versions(name, *others):
    """Params function: versions of the packages that the code imports, and of others; an upgrade makes the stage stale."""
    return lambda wildcards: reasons.versions({**versions.of_script(SCRIPTS / name), **engines.installed(others)})


def feature_options(wildcards):
    """Options of extract_features.py: contract, crops, and what of the data set changes samples."""
    return reasons.Reason("settings", FEATURE_SETS[wildcards.features].options)


def artefact_shape(wildcards):
    """Bands and frames of an engine's input."""
    shape = checked_in_graph(FEATURE_SET.shape_for, wildcards.engine, int(wildcards.batch))
    return reasons.Reason("settings", options.of_shape(shape))


def shard_stamp(wildcards):
    """Digest of paths, sizes and times of a shard's wavs: 150,000 wavs as inputs would take minutes (docs/architecture.md)."""
    return reasons.Reason("wavs", checked(DATASET.stamp, wildcards.shard))


def feature_roots(wildcards, input, output):
    """As `roots`; a module's prefix stands before the folder of the demo, which is an input."""
    return list(input.corpus) or roots(wildcards, output)


def layout_setting(wildcards, output):
    """Not compared: the stamp holds what it makes of the files. A function, because Snakemake fills in braces of values."""
    return config["dataset"]["layout"]


def roots(wildcards, output):
    """Not compared: a data set that moves, with its times kept, makes nothing stale."""
    return DATASET.roots


def checkpoint_source(wildcards, output):
    """What messages call the checkpoint: the user's own file or URL."""
    return inputs.checkpoint_source(config, CHECKPOINT_ARCHIVE)


# Features come before all else (2), so that bad audio ends the run early where it should; where they are deleted after
# use they come last (0), so that few of them are there at once. Unpacking, tracing, compiling
# and inference have 1.
FEATURES_PRIORITY = 2 if config["features"]["keep"] else 0
