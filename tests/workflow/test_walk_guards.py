"""The random walk over the real stages, and over a workflow without its guards, where it must find a wrong answer."""

import pytest
from walk.walk import EDITS, RealProject, Walk, WrongAnswerError, real_code, stand_in_code

pytestmark = pytest.mark.slow

#: Guards taken out, each as (file, text, replacement): what the workflow would be without them.
NO_KEYS = ("workflow_scripts/asv/snakefile/job_keys.py", "return self._above[job]\n", 'return "the same"\n')
NO_JUDGE = ("workflow_scripts/asv/snakefile/job_keys.py", "if not strangers:", "if True:")
NO_CHECK = (
    "workflow_scripts/asv/receipts.py",
    'if receipt.get("key") == key and Path(path).exists() and receipt["sha256"] == digest(path):',
    "if True:",
)
NO_ASIDE = ("workflow_scripts/asv/snakefile/start.py", "    set_outdated_results_aside(jobs)\n", "")
OWN_EDITS = [edit for edit in EDITS if edit != "foreign"]
# By name: what is taken out, which edits are made, and the seeds, first the one that was seen to find it soonest. Files
# that somebody else writes are what receipts are for.
MUTANTS = {
    "as it was before": ((NO_KEYS, NO_JUDGE, NO_CHECK, NO_ASIDE), OWN_EDITS, (1, 2, 3, 4, 5, 6)),
    "results set aside, and nothing else": ((NO_KEYS, NO_JUDGE, NO_CHECK), OWN_EDITS, (4, 1, 2, 3, 5, 6)),
    "keys without receipts": ((NO_JUDGE, NO_CHECK), [*EDITS, *["foreign"] * 12], (2, 1, 3, 4, 5, 6)),
}
STEPS = 12  # of each seed; a kill comes at another moment each time, so several are tried


def test_no_wrong_answer_of_the_real_stages(tmp_path):
    walk = Walk(tmp_path, 1, real_code(tmp_path / "code"), RealProject)
    walk.run(20)
    assert walk.successes > 10


def finding(folder, seed, changes, edits):
    """What a walk over a workflow without some of its guards finds; None if nothing."""
    code = stand_in_code(folder / "code")
    for file, text, replacement in changes:
        content = (code / file).read_text()
        assert text in content, (file, text)
        (code / file).write_text(content.replace(text, replacement, 1))
    try:
        Walk(folder / "walk", seed, code, edits=edits).run(STEPS)
    except WrongAnswerError as error:
        return str(error)
    return None


@pytest.mark.parametrize("name", MUTANTS)
def test_what_it_would_find(tmp_path, name):
    """Without the guards an answer is wrong, and some walk comes across it."""
    *mutant, seeds = MUTANTS[name]
    found = (finding(tmp_path / str(seed), seed, *mutant) for seed in seeds)
    assert "exit 0 with a wrong" in next(filter(None, found), "nothing")
