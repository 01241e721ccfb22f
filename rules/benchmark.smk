# artefact, features -> throughput and latency; embeddings -> agreement with the reference; all of it -> one table.


# Measurements take all cores (threads: workflow.cores), so that nothing else of the workflow runs beside them.
rule measure_machine:
    output:
        "work/benchmarks/machine.json",
    log:
        "logs/measure_machine.log",
    conda:
        "../envs/cpu.yaml"
    threads: workflow.cores
    params:
        key=KEYS.param(),
        job=KEYS.job_name,
        python=python,
        script=script("measure_machine.py"),
        code=stage_code("measure_machine.py"),
        versions=stage_versions("measure_machine.py"),
    shell:
        "{params.python:q} {params.script:q} --job {params.job:q} --threads {threads} --output {output:q} > {log:q} 2>&1"


rule benchmark_engine:
    input:
        artefact="work/engines/{engine}/bs{batch}",
        # One shard's: what is in the others makes no measurement stale.
        features=f"work/features/{SHARDS[0]}/features.npy",
    output:
        "work/benchmarks/{engine}/bs{batch}.json",
    log:
        "logs/benchmark_engine/{engine}_bs{batch}.log",
    conda:
        engine_environment
    threads: benchmark_threads
    resources:
        npu=npus,
    params:
        key=KEYS.param(),
        job=KEYS.job_name,
        command=engine_command,
        script=script("benchmark_engine.py"),
        code=engine_code("benchmark_engine.py"),
        versions=engine_versions,
        options=engine_options,
        devices=engine_devices,
        settings=options_of(config["benchmark"], "seconds", "count", "runs"),
    shell:
        "({params.command} {params.script:q} --job {params.job:q} --artefact {input.artefact:q} --features {input.features:q}"
        " --options {params.options:q} --threads {threads} {params.devices} {params.settings} --output {output:q}) > {log:q} 2>&1"


rule tabulate_benchmarks:
    input:
        benchmarks=benchmark_files("work/benchmarks/{engine}/bs{batch}.json"),
        artefacts=benchmark_files("work/engines/{engine}/bs{batch}"),
        results=benchmark_files("results/{engine}/eer_bs{batch}.json"),
        agreements=benchmark_files("results/{engine}/agreement_bs{batch}.json", reference=False),
        machine="work/benchmarks/machine.json",
    output:
        multiext("results/benchmarks", tsv=".tsv", md=".md", json=".json"),
    log:
        "logs/tabulate_benchmarks.log",
    conda:
        "../envs/cpu.yaml"
    params:
        key=KEYS.param(),
        job=KEYS.job_name,
        python=python,
        script=script("tabulate_benchmarks.py"),
        code=stage_code("tabulate_benchmarks.py"),
        rows=benchmark_rows,
        unsupported=unsupported_rows,
        output=lambda wildcards, output: os.path.splitext(output.json)[0],
    # The table is what the user waits for: it goes to the terminal, too.
    shell:
        "{params.python:q} {params.script:q} --job {params.job:q} --rows {params.rows:q} --unsupported {params.unsupported:q}"
        " --machine {input.machine:q} --output {params.output:q} > {log:q} 2>&1 && cat {output.md:q}"


rule check_gate:
    input:
        "results/benchmarks.json",
    output:
        "results/accuracy_gate.txt",
    log:
        "logs/check_gate.log",
    conda:
        "../envs/cpu.yaml"
    params:
        key=KEYS.param(),
        job=KEYS.job_name,
        python=python,
        script=script("check_gate.py"),
        code=stage_code("check_gate.py"),
    shell:
        "{params.python:q} {params.script:q} --job {params.job:q} --table {input:q} --output {output:q} > {log:q} 2>&1"
