"""Every command line that the documentation shows, and every profile, in a dry run."""

import re
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec

import pytest
import yaml
from support.documented import code, command_lines, snakemake_arguments
from support.paths import REPO
from support.rule_files import RULES, TEXT
from support.synthetic import make_project
from support.workflow import Workflow

pytestmark = pytest.mark.slow
DOCUMENTS = [*REPO.glob("*.md"), *(REPO / "docs").glob("*.md")]
COMMANDS = sorted({arguments for path in DOCUMENTS for arguments in command_lines(path.read_text())})
PROFILES = sorted(path.name for path in (REPO / "profiles").iterdir())
# These need an executor plugin that requirements-dev.txt does not install: their dry runs are for those who have it.
NEED_A_PLUGIN = {name for name in ("lsf", "donau") if not find_spec(f"snakemake_executor_plugin_{name}")}
# One engine of each kind: its jobs on Slurm ask for a device, or they do not.
LABELS = ("torch_aie-fp16", "mindietorch-f32", "ascend_om-fp16", "openvino-f32")
ENGINES = tuple(f"results/{label}/eer_bs4.txt" for label in LABELS)
ON_SLURM = (*ENGINES, "--workflow-profile", "profiles/slurm")
# These do no work, and are run as they are.
AS_THEY_ARE = {"--lint", "--unlock", "--dry-run", "-n"}


# These go, with their values: conda is not everywhere, a report wants results, and the Snakefile is where it is.
WITHOUT = {"--sdm", "--report", "-s"}


def harmless(arguments):
    """The same call, such that nothing is made."""
    arguments = [word for before, word in zip(("", *arguments), arguments) if not WITHOUT & {before, word}]
    return arguments if AS_THEY_ARE & set(arguments) else [*arguments, "--dry-run"]


class Documented(Workflow):
    """The workflow called as the documents do: without options of the tests' own, the shipped profiles in reach."""

    def command(self, *arguments):
        return [part for part in super().command() if part not in ("--cores", "2")] + list(arguments)


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """Exit code and output of every call, two at a time: each takes one to two seconds."""
    workflow = make_project(Documented(tmp_path_factory.mktemp("documented")), speakers=5)
    folder = workflow.folder
    (folder / "config.yaml").rename(folder / "mine.yaml")  # what the documents call the user's own settings
    (folder / "stand_in.sh").write_text(f"export PYTHONPATH={REPO}/tests/stand_in\n")  # docs/npu.md makes it
    (folder / "profiles").symlink_to(REPO / "profiles")

    def call(arguments):
        process = workflow.start(*harmless(arguments))
        output, _ = process.communicate(timeout=120)
        return process.returncode, output

    calls = [*COMMANDS, *(("--workflow-profile", f"profiles/{name}", "all_benchmarks") for name in PROFILES)]
    absent = {f"profiles/{name}" for name in NEED_A_PLUGIN}
    calls = [call for call in dict.fromkeys([*calls, ON_SLURM]) if absent.isdisjoint(call)]
    with ThreadPoolExecutor(2) as pool:
        return dict(zip(calls, pool.map(call, calls)))


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_a_documented_command(outcomes, arguments):
    if arguments not in outcomes:
        pytest.skip("needs an executor plugin that is not installed")
    code, output = outcomes[arguments]
    assert code == 0, output
    assert "Traceback" not in output


def test_the_main_commands_are_found():
    assert ("--cores", "8", "results/eer_bs4.txt") in COMMANDS
    assert ("all_benchmarks", "--workflow-profile", "profiles/slurm") in COMMANDS
    assert ("all_eer",) in COMMANDS  # broken over two lines of prose
    assert len(COMMANDS) > 12


def test_no_form_of_a_command_is_left_out():
    shown = (
        '```sh\npip install x && snakemake -n a \\\n  b 2>&1 | tail\n```\n`snakemake` and `sbatch --wrap "snakemake c"`'
    )
    assert command_lines(shown) == [("-n", "a", "b"), (), ("c",)]
    assert list(code("```console\n$ snakemake\nsnakemake wrote this\n```")) == ["snakemake"]
    for unknown in ("nohup snakemake all", "python -m snakemake all", "$(snakemake all)"):
        with pytest.raises(ValueError, match="snakemake"):
            snakemake_arguments(unknown)


@pytest.mark.parametrize("name", PROFILES)
def test_a_profile(outcomes, name):
    if name not in NEED_A_PLUGIN:
        code, output = outcomes["--workflow-profile", f"profiles/{name}", "all_benchmarks"]
        assert code == 0, output
        assert f"Using workflow specific profile profiles/{name}" in output
    profile, default = (yaml.safe_load((REPO / f"profiles/{n}/config.yaml").read_text()) for n in (name, "default"))
    for key in ("rerun-triggers", "rerun-incomplete", "show-failed-logs"):
        assert profile[key] == default[key]
    assert set(profile.get("set-resources", {})) | set(profile.get("set-threads", {})) <= RULES.keys()
    assert "cores" in profile  # benchmarks take all of them: Snakemake refuses to guess


def test_retries_are_in_no_rule():
    assert "retries:" not in TEXT


def test_slurm_is_asked_for_a_device_by_the_jobs_that_take_one(outcomes):
    code, output = outcomes[ON_SLURM]
    assert code == 0, output
    jobs = [dict(re.findall(r"(\w+)=([^,\s]+)", line)) for line in re.findall(r"resources: (.*)", output)]
    jobs = [job for job in jobs if "npu" in job]
    assert len(jobs) == 12  # four engines, an artefact and two shards each
    assert sum(job["npu"] == "1" for job in jobs) == 8  # atc compiles without a device
    for job in jobs:
        assert job.get("gres") == (f"npu:{job['npu']}" if job["npu"] != "0" else None)


def evaluated(expression, engine):
    """An expression of a profile for a job of an engine, at the first attempt."""
    wildcards = type("Wildcards", (), {"engine": engine})
    return eval(expression, {"wildcards": wildcards, "attempt": 1})


def settings_of(profile):
    return yaml.safe_load((REPO / f"profiles/{profile}/config.yaml").read_text())


@pytest.mark.parametrize("profile", [name for name in PROFILES if name not in ("default", "slurm")])
def test_profiles_of_clusters_ask_for_the_same_memory_and_time(profile):
    """Snakemake reads one workflow profile, so the table stands in each of them."""

    def table(name):
        resources = settings_of(name)["set-resources"]
        return {
            rule: {key: value for key, value in asked.items() if key in ("mem_mb", "runtime")}
            for rule, asked in {**resources, "": settings_of(name)["default-resources"]}.items()
        }

    assert table(profile) == table("slurm")


@pytest.mark.parametrize("rule", ["compile_engine", "infer", "benchmark_engine"])
@pytest.mark.parametrize(
    ("profile", "key", "device"),
    [("cluster-generic", "submit_options", "--gres=npu:1"), ("lsf", "lsf_extra", '-R "rusage[npu=1]"')],
)
def test_profiles_ask_for_devices_and_whole_nodes_alike(rule, profile, key, device):
    slurm, other = (settings_of(name)["set-resources"][rule] for name in ("slurm", profile))
    alone = "-x" if profile == "lsf" else "--exclusive"
    for engine in ("torch_aie-fp16", "mindietorch-f32", "openvino-bf16"):
        options = evaluated(other[key], engine)
        assert (device in options) == (evaluated(slurm["gres"], engine) == "npu:1")
        assert (alone in options.split()) == (rule == "benchmark_engine") == ("slurm_extra" in slurm)


def test_every_profile_of_a_cluster_measures_on_a_node_of_its_own():
    keys = {"slurm": "slurm_extra", "cluster-generic": "submit_options", "lsf": "lsf_extra", "donau": "exclusive"}
    assert set(keys) | {"default"} == set(PROFILES)
    for profile, key in keys.items():
        assert all(
            key in settings_of(profile)["set-resources"][rule] for rule in ("benchmark_engine", "measure_machine")
        )
