# scores, benchmarks -> pictures and pages for the HTML report. Captions and methods: report/.


rule plot_scores:
    """Draw DET curves and score histograms of an engine."""
    input:
        scores=SCORES,
        result=path_of(rules.write_answer.output.json),
    output:
        det=report(
            "results/{engine}/det_bs{batch}.svg",
            category="Accuracy",
            subcategory="Pictures",
            labels={"engine": "{engine}", "batch size": "{batch}", "picture": "DET curve"},
            caption="../report/det.rst",
        ),
        det_png="results/{engine}/det_bs{batch}.png",
        histogram=report(
            "results/{engine}/histogram_bs{batch}.svg",
            category="Accuracy",
            subcategory="Pictures",
            labels={"engine": "{engine}", "batch size": "{batch}", "picture": "score histogram"},
            caption="../report/histogram.rst",
        ),
        histogram_png="results/{engine}/histogram_bs{batch}.png",
    log:
        "logs/plot_scores/{engine}_bs{batch}.log",
    conda:
        "../envs/cpu.yaml"
    params:
        key=KEYS.param(),
        job=KEYS.job_name,
        python=python,
        script=script("plot_scores.py"),
        code=stage_code("plot_scores.py"),
        versions=stage_versions("plot_scores.py"),
    shell:
        "{params.python:q} {params.script:q} --job {params.job:q} --scores {input.scores:q} --result {input.result:q}"
        " --det-output {output.det:q} --histogram-output {output.histogram:q} > {log:q} 2>&1"


rule plot_benchmarks:
    """Draw throughput, latency and agreement of all engines."""
    input:
        table=path_of(rules.tabulate_benchmarks.output.json),
        agreement=benchmark_files(rules.compare_engine.output.table, reference=False),
    output:
        throughput=report(
            "results/throughput.svg",
            category="Benchmarks",
            subcategory="Pictures",
            labels={"picture": "throughput"},
            caption="../report/throughput.rst",
        ),
        throughput_png="results/throughput.png",
        latency=report(
            "results/latency.svg",
            category="Benchmarks",
            subcategory="Pictures",
            labels={"picture": "latency"},
            caption="../report/latency.rst",
        ),
        latency_png="results/latency.png",
        agreement=report(
            "results/agreement.svg",
            category="Benchmarks",
            subcategory="Pictures",
            labels={"picture": "agreement with the reference"},
            caption="../report/agreement.rst",
        ),
        agreement_png="results/agreement.png",
    log:
        "logs/plot_benchmarks.log",
    conda:
        "../envs/cpu.yaml"
    params:
        key=KEYS.param(),
        job=KEYS.job_name,
        python=python,
        script=script("plot_benchmarks.py"),
        code=stage_code("plot_benchmarks.py"),
        versions=stage_versions("plot_benchmarks.py"),
    shell:
        "{params.python:q} {params.script:q} --job {params.job:q} --benchmarks {input.table:q} --agreement {input.agreement:q}"
        " --throughput-output {output.throughput:q} --latency-output {output.latency:q}"
        " --agreement-output {output.agreement:q} > {log:q} 2>&1"


# Snakemake's report shows HTML, but only offers text and tables for download.
rule show_benchmarks:
    """Write the table of benchmarks as an HTML page for the report."""
    input:
        path_of(rules.tabulate_benchmarks.output.json),
    output:
        report(
            "results/benchmarks.html",
            category="Benchmarks",
            subcategory="Tables",
            labels={"table": "accuracy and speed"},
            caption="../report/benchmarks.rst",
        ),
    log:
        "logs/show_benchmarks.log",
    localrule: True
    conda:
        "../envs/cpu.yaml"
    params:
        key=KEYS.param(),
        job=KEYS.job_name,
        python=python,
        script=script("write_page.py"),
        code=stage_code("write_page.py"),
    shell:
        "{params.python:q} {params.script:q} --job {params.job:q} --title Benchmarks --benchmarks {input:q} --output {output:q} > {log:q} 2>&1"


rule show_answers:
    """Write all answers as an HTML page for the report."""
    input:
        benchmark_files(rules.write_answer.output.text),
    output:
        report(
            "results/answers.html",
            category="Accuracy",
            subcategory="Tables",
            labels={"table": "whole answers"},
            caption="../report/answers.rst",
        ),
    log:
        "logs/show_answers.log",
    localrule: True
    conda:
        "../envs/cpu.yaml"
    params:
        key=KEYS.param(),
        job=KEYS.job_name,
        python=python,
        script=script("write_page.py"),
        code=stage_code("write_page.py"),
    shell:
        "{params.python:q} {params.script:q} --job {params.job:q} --title Answers --input {input:q} --output {output:q} > {log:q} 2>&1"


# What `snakemake all_benchmarks --report report.html` shows.
# Scores hardly depend on the batch size: they are drawn for the first one; those of others can be asked for by name.
REPORT_FIGURES = [
    *rules.show_benchmarks.output,
    *rules.show_answers.output,
    rules.plot_benchmarks.output.throughput,
    rules.plot_benchmarks.output.latency,
    rules.plot_benchmarks.output.agreement,
    benchmark_files(rules.plot_scores.output.det, batches=config["batch_sizes"][:1]),
    benchmark_files(rules.plot_scores.output.histogram, batches=config["batch_sizes"][:1]),
]
