"""Where settings come from: whose a config.yaml is, which file a message names, paths as people write them."""

import re
import time

import pytest
from support.paths import REPO
from support.scripts import unless_root
from support.synthetic import write_checkpoint, write_tree, write_trials

from asv.errors import InputError
from asv.snakefile import config, config_files
from asv.snakefile.config import check

SHIPPED = REPO / "config.yaml"


def judged(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return config_files.of_working_folder(path, SHIPPED, config.settings())


# Whose it is


@pytest.mark.parametrize(
    "content",
    [
        "shards: 1\n",
        "samples: [a]\nthreads: 4\n",
        "datset: {root: x}\n",
        "dataset.root: x\n",
        "batchsizes: [4]\n",
        '{"shards": 1}',
        '{\n\t"shards": 1\n}',
        "\ufeffshards: 1\r\n",
        "shards: !include other.yaml\n",
        "scoring:\n",
        "a: 1\n---\nshards: 1\n",
    ],
)
def test_a_file_with_a_setting_is_ours(tmp_path, content):
    assert judged(tmp_path / "config.yaml", content) == (True, None)


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        ("samples: [a, b]\n", "samples"),
        ("samples: a\nunits: b\nref: c\nparams: {threads: 3}\n", "samples, units, ref, ..."),
        ("? [complex, key]\n: 1\nsamples: 2\n", "samples"),
        ("samples: !lambda 'x'\n", "samples"),
        ("3: x\n", "3"),
        ("x: &a [1]\n" + "".join(f"y{i}: &b{i} [*a, *a]\n" for i in range(9)), "x, y0, y1, ..."),
    ],
)
def test_a_file_of_other_keys_alone_is_anothers_and_this_is_told(tmp_path, content, shown):
    used, note = judged(tmp_path / "config.yaml", content)
    assert not used
    assert note.startswith(f"{tmp_path / 'config.yaml'} has no setting of this workflow (but {shown}), so it is taken")


@pytest.mark.parametrize("content", ["", "# dataset: {root: x}\n", "---\n", "- a\n- b\n", "text", "[]", "null"])
def test_a_file_without_settings_changes_nothing(tmp_path, content):
    assert judged(tmp_path / "config.yaml", content) == (False, None)


def test_no_file_a_folder_and_the_shipped_file_are_not_the_users(tmp_path):
    path = tmp_path / "config.yaml"
    assert config_files.of_working_folder(path, SHIPPED, config.settings()) == (False, None)
    path.mkdir()
    assert config_files.of_working_folder(path, SHIPPED, config.settings()) == (False, None)
    path.rmdir()
    path.symlink_to(SHIPPED)
    assert config_files.of_working_folder(path, SHIPPED, config.settings()) == (False, None)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("shards: [1\n", r"neither YAML nor JSON \(line 2\); mend it, or run in another folder"),
        ("a:\n\tb: 1\n", r"neither YAML nor JSON \(line 2\)"),
        ("{% if x %}\nshards: 1\n", "neither YAML nor JSON"),
        ("[" * 100_000, "neither YAML nor JSON"),
        ("shards: 1\n".encode("utf-16"), "not UTF-8"),
        ("# größe\nshards: 1\n".encode("latin-1"), "not UTF-8"),
        (b"shards: 1\x00\n", "neither YAML nor JSON"),
    ],
)
def test_a_file_that_cannot_be_read_ends_the_run(tmp_path, content, message):
    """Nobody can tell whose it is."""
    with pytest.raises(InputError, match=message) as caught:
        judged(tmp_path / "config.yaml", content)
    assert str(tmp_path / "config.yaml") in str(caught.value)


@unless_root
def test_a_file_that_must_not_be_read(tmp_path):
    (tmp_path / "config.yaml").touch(mode=0o000)
    with pytest.raises(InputError, match="Permission denied"):
        judged(tmp_path / "config.yaml", "")


def test_a_huge_or_growing_file_takes_no_time(tmp_path):
    bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n"
    bomb += "".join(f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi"))
    started = time.monotonic()
    assert not judged(tmp_path / "config.yaml", bomb)[0]
    used, note = judged(tmp_path / "config.yaml", "shards: [" + "1," * (1 << 20))
    assert not used
    assert "more than 256 KB" in note
    assert time.monotonic() - started < 2


# What messages name


SOURCES = [
    ("/w/config.yaml", {"shards": 2, "dataset": {"root": "demo"}, "features": {"n_fft": 400}}),
    ("/h/config.yaml", {"shards": 0, "dataset": None, 3: 1, "batch_sizes": [4, 0]}),
    ("--config", {"dataset": {"rot": 3}, "features": {"win_length": 999}}),
]


@pytest.mark.parametrize(
    ("settings", "wanted"),
    [
        ({"shards": 0}, "shards: 0 is less than the minimum of 1 (set in /h/config.yaml)"),
        ({"dataset": {"rot": 3}}, "dataset.rot: unknown setting; did you mean dataset.root? (set in --config)"),
        ({3: 1}, "3: unknown setting; see config.yaml for all settings (set in /h/config.yaml)"),
        ({"batch_sizes": [4, 0]}, "batch_sizes.1: 0 is less than the minimum of 1 (set in /h/config.yaml)"),
        (
            {"features": {"win_length": 999}},
            "features.win_length: 999 exceeds n_fft (400): a window fits into the transform (set in --config)",
        ),
        ({"checkpoint": {"archive": "https://x.org/c.zip"}}, "because checkpoint.archive is a URL"),  # not set at all
    ],
)
def test_a_message_names_where_the_setting_came_from(settings, wanted):
    with pytest.raises(InputError) as caught:
        check(settings, lambda: SOURCES)
    assert str(caught.value).endswith(wanted)


def test_a_source_without_measure_is_named():
    sources = [("/w/config.yaml", {"shards": 1}), ("results/eer_bs4.json", {"trials": [1] * 9999})]
    with pytest.raises(InputError, match=r"more than 3000 values.* \(set in results/eer_bs4.json\)$"):
        check({"trials": [1] * 9999}, lambda: sources)


def test_sources_are_read_where_something_is_wrong_alone():
    check({"shards": 1}, lambda: pytest.fail("read for nothing"))


def test_a_result_in_place_of_a_configuration_is_named_as_such(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert config_files.called("mine.yaml") == str(tmp_path / "mine.yaml")
    assert config_files.called("/elsewhere/results/x.json") == "/elsewhere/results/x.json"
    said = config_files.called("results/eer_bs4.json")
    assert said.startswith(str(tmp_path / "results/eer_bs4.json"))
    assert "write targets before --configfile" in said


# Paths


def test_a_tilde_is_the_home_folder_in_every_path(monkeypatch):
    monkeypatch.setenv("HOME", "/h")
    given = {
        "dataset": {"root": "~/vox", "trials": ["~/a.txt", "b.txt"]},
        "scoring": {"as_norm": {"cohort": "~/c.txt"}},
        "checkpoint": {"archive": "~/c.zip"},
        "engines": {"torch_aie": {"python": "~/bin/python", "env_scripts": ["~/set_env.sh"]}},
    }
    found = check(given)
    assert found["dataset"] == check({})["dataset"] | {"root": "/h/vox", "trials": ["/h/a.txt", "b.txt"]}
    assert found["scoring"]["as_norm"]["cohort"] == "/h/c.txt"
    assert found["checkpoint"]["archive"] == "/h/c.zip"
    assert found["engines"]["torch_aie"]["python"] == "/h/bin/python"
    assert found["engines"]["torch_aie"]["env_scripts"] == ["/h/set_env.sh"]
    assert check({"dataset": {"root": ["~", "a~b"]}})["dataset"]["root"] == ["/h", "a~b"]
    assert check(found) == found


def test_variables_and_unknown_users_are_told_unless_files_are_called_so(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    given = {"dataset": {"root": "$DATA/vox"}, "checkpoint": {"archive": "~nobody_of_that_name/c.zip"}}
    with pytest.raises(InputError) as caught:
        check(given)
    assert "dataset.root: no file or folder '$DATA/vox'" in str(caught.value)
    assert "only ~ is: write the path out" in str(caught.value)
    assert "checkpoint.archive: '~nobody_of_that_name/c.zip': no such user" in str(caught.value)
    (tmp_path / "$DATA/vox").mkdir(parents=True)
    (tmp_path / "~nobody_of_that_name").mkdir()
    (tmp_path / "~nobody_of_that_name/c.zip").touch()
    assert check(given)["dataset"]["root"] == "$DATA/vox"
    url = "https://x.org/~a/$b.zip"
    assert check({"checkpoint": {"archive": url, "sha256": "0" * 64}})["checkpoint"]["archive"] == url


def test_every_path_of_the_schema_is_expanded():
    """A setting whose name says that it is a path is marked as one."""

    def walk(schema):
        for name, part in schema.get("properties", {}).items():
            if name in ("root", "trials", "archive", "cohort", "python", "env_scripts") or "path" in name:
                assert part.get("format") == "path", name
            walk(part)

    walk(config._schema())


# With Snakemake


def shards(output):
    return sorted(set(re.findall(r"shard=([^,\s]+)", output)))


def test_anothers_config_yaml_is_told_and_not_used(workflow):
    workflow.configure("samples: [a, b]\n")
    (workflow.folder / "mine.yaml").write_text("shards: 1\n")
    output = workflow.run("results/eer_bs4.txt", "--dry-run", "--configfile", "mine.yaml")
    assert output.count("has no setting of this workflow (but samples)") == 1
    assert shards(output) == ["0-of-1"]
    workflow.configure("samples: [a, b]\nthreads: 1\n")
    output = workflow.run("results/eer_bs4.txt", "--dry-run", fails=True)
    assert (
        f"samples: unknown setting; see config.yaml for all settings (set in {workflow.folder}/config.yaml)" in output
    )


MODULE = """
module asv:
    snakefile: "{snakefile}"
    {more}
use rule * from asv as asv_*
"""


@pytest.mark.parametrize(
    ("more", "config", "target", "wanted"),
    [
        ("", None, "results/eer_bs4.txt", ["0-of-2", "1-of-2"]),
        ("", "samples: [a, b]\n", "results/eer_bs4.txt", ["0-of-2", "1-of-2"]),
        (
            'config: config["asv"]\n    prefix: "sub"',
            "samples: 1\nasv: {shards: 1}\n",
            "sub/results/eer_bs4.txt",
            ["0-of-1"],
        ),
    ],
    ids=["alone", "importer's config.yaml", "config and prefix"],
)
def test_as_a_module(workflow, more, config, target, wanted):
    snakefile = MODULE.format(snakefile=REPO / "Snakefile", more=more)
    if config:
        workflow.configure(config)
        snakefile = 'configfile: "config.yaml"\n' + snakefile
    (workflow.folder / "Snakefile").write_text(snakefile)
    output = workflow.run(target, "--dry-run", "--snakefile", "Snakefile")
    assert "rule asv_score:" in output
    assert shards(output) == wanted


def test_the_example_of_a_module(workflow):
    example = REPO / "examples" / "module"
    text = (example / "Snakefile").read_text()
    assert '"../../Snakefile"' in text
    (workflow.folder / "Snakefile").write_text(text.replace("../../Snakefile", str(REPO / "Snakefile")))
    workflow.configure((example / "config.yaml").read_text())
    output = workflow.run("--dry-run", "--snakefile", "Snakefile")
    assert "rule summary:" in output
    assert "rule speakers_score:" in output
    assert shards(output) == ["0-of-1"]
    assert "speakers/results/eer_bs4.txt" in output


def test_paths_as_people_write_them(workflow):
    """A home folder, braces in the data set's path; braces in a list's path cannot be told from a wildcard."""
    home = workflow.folder / "home"
    names = write_tree(home / "x{b}" / "wav", speakers=2)
    write_trials(home / "x{b}" / "trials.txt", names)
    write_trials(home / "{open.txt", names)
    write_checkpoint(home / "c.zip")
    workflow.environment["HOME"] = str(home)
    text = "dataset: {{root: '~/x{{b}}/wav', trials: ['~/{list}']}}\ncheckpoint: {{archive: ~/c.zip}}\nshards: 1\n"
    workflow.configure(text.format(list="x{b}/trials.txt"))
    output = workflow.run("results/eer_bs4.txt", "--dry-run", fails=True)
    assert f"dataset.trials: '{home}/x{{b}}/trials.txt': Snakemake takes {{b}} in a name for a wildcard" in output
    workflow.configure(text.format(list="{open.txt"))
    assert shards(workflow.run("results/eer_bs4.txt", "--dry-run")) == ["0-of-1"]
