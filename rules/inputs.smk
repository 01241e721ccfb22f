# The user's files, or the demo's in their place: data set, trial lists, cohort. No rules here.
from snakemake.io import get_wildcard_names

from asv.scoring import table_formats
from asv.snakefile import calibration
from asv.trials import protocols

DATASET = checked(inputs.find_dataset, config, DEMO_WAVS)
SHARDS, LAYOUT = DATASET.shards, DATASET.layout
# What needs some utterances takes them from the first of these shards that has any: files of the first one may all have
# been rejected. Few, because what is in the others makes nothing stale then, and lets nothing wait for it.
SAMPLED_SHARDS = SHARDS[:4]
TRIALS = checked(inputs.trial_lists, config, DATASET, DEMO_TRIALS)
checked(protocols.protocol_names, TRIALS)
checked(table_formats.check_format, config["scoring"]["format"])
COHORT = checked(inputs.cohort, config)
checked(inputs.refuse_wildcards, {"dataset.trials": TRIALS, "scoring.as_norm.cohort": COHORT}, get_wildcard_names)


@functools.cache
def calibration_files():
    """The files that a network in int8 is calibrated with. Listed once, and only where int8 is asked for."""
    return checked(calibration.files, config, DATASET)


def calibration_stamp(wildcards):
    """Digest of these files; empty for the demo's training voices."""
    return reasons.Reason("wavs", calibration.stamp(calibration_files()))


def calibration_options(wildcards):
    """Which utterances these are, and how their features are made."""
    return reasons.Reason("settings", calibration.options(config, DATASET.roots, calibration_files(), FEATURE_SET))


def calibration_roots(wildcards, output):
    """Not compared, as `roots`."""
    return calibration.roots(config, DATASET)


def calibration_tree(wildcards, output):
    """Not compared, as `layout_setting`."""
    return calibration.options_of_tree(config, DATASET)
