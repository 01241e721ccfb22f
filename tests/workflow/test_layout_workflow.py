"""A layout with braces through Snakemake's configuration, parameters and shell, to the answer."""

import json

import pytest
from support.synthetic import write_checkpoint, write_voice

LAYOUT = "{part}/{region}/{speaker}/{utterance}"


@pytest.mark.slow
def test_a_pattern_goes_through_the_workflow_to_the_answer(workflow):
    for speaker in range(4):
        for number in range(2 + speaker % 2):
            path = f"timit/{'train' if speaker % 2 else 'test'}/DR{speaker // 2}/alice{speaker}/SA{number}.WAV"
            write_voice(workflow.folder / path, 90 + 40 * speaker, seed=10 * speaker + number)
    write_checkpoint(workflow.folder / "checkpoint.zip")
    workflow.configure(
        "dataset: {root: timit}\ncheckpoint: {archive: checkpoint.zip}\nshards: 1\nengine: torchscript\n"
    )
    refused = workflow.run("results/eer_bs4.txt", "--dry-run", fails=True)
    assert "dataset.layout: auto expects <speaker>/<session>/<utterance>.wav" in refused
    assert "DR0, DR1" in refused

    call = ("results/eer_bs4.txt", "--config", f'dataset={{layout: "{LAYOUT}"}}')
    output = workflow.run(*call)
    said = f"data set: 4 speakers, such as alice0 (utterances: 2); layout {LAYOUT}"
    assert output.count(said) == 1
    rows = (workflow.folder / "results/utterances.tsv").read_text().splitlines()
    assert rows[1].split("\t")[:4] == ["alice0/SA0.wav", "alice0", "", "test/DR0/alice0/SA0.WAV"]
    facts = json.loads((workflow.folder / "results/eer_bs4.json").read_text())["utterances"]
    assert facts["utterances_per_speaker"] == {"minimum": 2, "median": 2.5, "maximum": 3}
    assert (facts["speakers"], facts["sessions"], facts["example"]) == (4, 0, "alice0/SA0.wav")
    assert facts["layout"] == LAYOUT
    answer = (workflow.folder / "results/eer_bs4.txt").read_text()
    assert f"speakers    4; utterances each: 2 to 3, median 2.5; such as alice0/SA0.wav (layout {LAYOUT})" in answer

    # The same ids by another layout: features stay, the answer names it.
    assert workflow.jobs(call[0], "--config", "dataset={layout: speaker/utterance}", dry=True) == [
        "copy_answer bs4",
        "write_answer bs4",
    ]
    # Other speakers: nothing of the old is used.
    changed = workflow.jobs(
        call[0], "--config", "dataset={layout: speaker/session/utterance, shared_speakers: merge}", dry=True
    )
    assert "extract_features 0-of-1" in changed
