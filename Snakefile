# ECAPA-TDNN speaker verification: accuracy and throughput of an inference engine, per batch size.
# Settings: config.yaml. Stages: rules/, one file each. Work: workflow_scripts/, one command line per stage.
from snakemake.utils import min_version

min_version("9.0")


# The defaults; rules/common.smk adds a config.yaml of the working folder.
configfile: f"{workflow.current_basedir}/config.yaml"


report: "report/workflow.rst"


include: "rules/common.smk"
include: "rules/start.smk"
include: "rules/engines.smk"
include: "rules/demo.smk"
include: "rules/inputs.smk"
include: "rules/features.smk"
include: "rules/network.smk"
include: "rules/quantisation.smk"
include: "rules/inference.smk"
include: "rules/npu.smk"
include: "rules/scoring.smk"
include: "rules/benchmark.smk"
include: "rules/report.smk"
include: "rules/grid.smk"
include: "rules/lengths.smk"
include: "rules/crop_spread.smk"
include: "rules/recommend.smk"


onstart:
    start()


# Of the main process alone: Snakemake calls these neither for a cluster's jobs nor for an importer's run.
onsuccess:
    end()


# With --keep-going a failure may be long past when the run ends.
onerror:
    print(failures.summary(log), file=sys.stderr)


rule all:
    """Report the accuracy of the configured engine at batch size 4, with its DET curve for the HTML report."""
    default_target: True
    input:
        "results/eer_bs4.txt",
        collect(rules.plot_scores.output.det, engine=ENGINE, batch=4),
    localrule: True


rule all_eer:
    """Report the accuracy of the configured engine at every batch size."""
    input:
        collect("results/eer_bs{batch}.txt", batch=config["batch_sizes"]),
    localrule: True


rule all_benchmarks:
    """Measure and compare all engines of benchmark.engines, with tables and pictures."""
    input:
        multiext("results/benchmarks", ".tsv", ".md", ".json", ".txt"),
        REPORT_FIGURES,
    localrule: True


rule accuracy_gate:
    """Fail where an engine differs too much from the reference."""
    input:
        "results/accuracy_gate.txt",
    localrule: True
