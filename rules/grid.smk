# What rules/lengths.smk and crop_spread.smk compare: features of all settings, and params functions. No rules here.
from asv.snakefile import crop_spread as spread, lengths

LENGTHS_ENGINE = REFERENCE
FEATURE_SETS |= {found.key: found for found in lengths.grid(config, FEATURE_SET).values()}
FEATURE_SETS |= {found.key: found for found in spread.grid(config, FEATURE_SET)}


wildcard_constraints:
    frames=r"whole|[1-9][0-9]*",


def length_shape(wildcards):
    """Bands and frames of the input of an engine for a setting."""
    bands, frames = checked_in_graph(FEATURE_SET.with_crops(wildcards.frames, 1).shape_for, wildcards.engine, 1)
    return reasons.Reason("settings", f"--shape {bands} {frames}")


def length_crops(wildcards):
    """How many crops of an utterance there are in a setting, and how their embeddings are averaged."""
    return reasons.Reason("settings", options.of_crops(config, FEATURE_SETS[wildcards.features].crops["crops"]))


def length_artefact(wildcards):
    """The artefact for the frames of a setting."""
    return collect(
        rules.compile_length.output, engine=wildcards.engine, frames=FEATURE_SETS[wildcards.features].crops["frames"]
    )


def gathered_settings(wildcards):
    """Folders of the grid's embeddings, those of whole utterances first."""
    keys = checked_in_graph(lengths.keys, config, FEATURE_SET)
    return collect(rules.gather_embeddings.output, features=keys, engine=LENGTHS_ENGINE)


def gathered_seeds(wildcards):
    """Folders of the embeddings of every number of crops and random seed."""
    keys = checked_in_graph(spread.keys, config, FEATURE_SET)
    return collect(rules.gather_embeddings.output, features=keys, engine=LENGTHS_ENGINE)
