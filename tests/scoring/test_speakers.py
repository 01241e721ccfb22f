"""What the answer says of speakers."""

from hypothesis import given
from hypothesis import strategies as st

from asv.features.manifest import Utterance
from asv.scoring.speakers import describe


def rows(names):
    return [Utterance(name, name.split("/")[0], "/".join(name.split("/")[1:-1]), name, 1.0, 16000, 1) for name in names]


def test_counts_of_speakers_sessions_and_utterances():
    names = ["b/x/1.wav", "b/x/2.wav", "b/y/1.wav", "a/x/1.wav", "c/1.wav", "c/2.wav"]
    facts = describe(rows(names))
    assert facts == {
        "speakers": 3,
        "sessions": 3,
        "utterances_per_speaker": {"minimum": 1, "median": 2, "maximum": 3},
        "example": "a/x/1.wav",
    }


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from(["", "x", "y/z"])), min_size=1, max_size=40))
def test_counts_do_not_depend_on_order_and_agree_with_counting_by_hand(pairs):
    names = ["/".join(filter(None, (speaker, session, f"{n}.wav"))) for n, (speaker, session) in enumerate(pairs)]
    facts = describe(rows(names))
    assert facts == describe(rows(reversed(names)))
    per_speaker = sorted([s for s, _ in pairs].count(speaker) for speaker in {s for s, _ in pairs})
    assert facts["speakers"] == len(per_speaker)
    assert facts["sessions"] == len({pair for pair in pairs if pair[1]})
    each = facts["utterances_per_speaker"]
    assert (each["minimum"], each["maximum"]) == (per_speaker[0], per_speaker[-1])
    middle = len(per_speaker) // 2
    assert each["median"] == (per_speaker[middle] + per_speaker[-middle - 1]) / 2
