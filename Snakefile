# ECAPA-TDNN speaker verification: accuracy and throughput of an inference engine, per batch size.
# Settings: config.yaml. Stages: rules/, one file each. Work: workflow_scripts/, one command line a stage.
from snakemake.utils import min_version

min_version("9.0")


# The defaults; rules/common.smk adds a config.yaml of the working folder.
configfile: f"{workflow.current_basedir}/config.yaml"


report: "report/workflow.rst"


include: "rules/common.smk"
include: "rules/start.smk"
include: "rules/demo.smk"
include: "rules/features.smk"
include: "rules/network.smk"
include: "rules/inference.smk"
include: "rules/npu.smk"
include: "rules/scoring.smk"
include: "rules/benchmark.smk"
include: "rules/report.smk"


onstart:
    start()


# Under a cluster's scheduler these run where Snakemake runs: less than a second each, and no torch; and the download,
# since nodes are often without a network.
localrules:
    all,
    all_eer,
    all_benchmarks,
    accuracy_gate,
    fetch_checkpoint,
    unzip_checkpoint,
    merge_manifests,
    write_answer,
    copy_answer,
    tabulate_benchmarks,
    check_gate,
    show_benchmarks,
    show_answers,


# With --keep-going a failure may be long past when the run ends.
onerror:
    print(failures.summary(log), file=sys.stderr)


rule all:
    default_target: True
    input:
        "results/eer_bs4.txt",


rule all_eer:
    input:
        collect("results/eer_bs{batch}.txt", batch=config["batch_sizes"]),


rule all_benchmarks:
    input:
        multiext("results/benchmarks", ".tsv", ".md", ".json"),
        REPORT_FIGURES,


rule accuracy_gate:
    input:
        "results/accuracy_gate.txt",
