"""What a run says last."""

import pytest

from asv.snakefile.ending import DOCTORS_FINDING, DOCTORS_PICTURE, answers, doctors_finding, lines

OWN, ENGINES = "results/eer_bs4.txt", "results/openvino-f32/eer_bs4.txt"


@pytest.mark.parametrize(
    ("asked", "made", "told"),
    [
        ([OWN], [ENGINES, OWN, "results/eer_bs4.json", "work/x.npy"], [OWN]),
        ([ENGINES], [ENGINES], [ENGINES]),
        (["results/benchmarks.tsv"], [ENGINES, "results/benchmarks.tsv"], [ENGINES]),  # on the way to something else
        (["results/benchmarks.tsv"], [ENGINES, "results/benchmarks.txt"], []),  # which has the EER of every row
        ([OWN, "results/benchmarks.tsv"], [OWN, ENGINES, "results/benchmarks.txt"], [OWN]),
        (["sub/" + OWN], ["sub/" + OWN], ["sub/" + OWN]),
        ([OWN], [], []),  # nothing to be done
        (["results/utterances.tsv"], ["results/utterances.tsv"], []),
        ([], ["results/outdated/x/eer_bs4.txt", "results/eer_bs4.txt.bak"], []),
    ],
)
def test_answers_that_were_asked_for_come_before_others(asked, made, told):
    assert answers(asked, made) == told


def test_a_line_has_the_file_and_its_first_line(tmp_path):
    path = tmp_path / "eer_bs4.txt"
    path.write_text("EER 5.000 %   list, 960 trials\n\nmore\n", encoding="utf-8")
    assert lines([str(path)]) == [f"{path}: EER 5.000 %   list, 960 trials"]


def test_the_doctor_of_another_run_is_not_told(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert doctors_finding("this") == ("", 0)
    for name, text in ((DOCTORS_FINDING, "this 1\n"), (DOCTORS_PICTURE, "no driver\n")):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert doctors_finding("this") == ("no driver\n", 1)
    assert doctors_finding("another") == ("", 0)
