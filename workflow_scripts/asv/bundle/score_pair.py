"""Score two recordings with the artefact of this folder, as the workflow that made it does.

    python -m venv venv && . venv/bin/activate && pip install -r requirements.txt
    python score_pair.py enrolment.wav test.wav

The score is the cosine of the two embeddings; thresholds.json tells which score accepts how many false trials. Where
crops are placed by a digest (contract.json), places follow from the utterance's id: give the ids that the data set has,
or other places of the same recordings are heard.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from asv.audio.reading import AudioError, AudioRules
from asv.dataset.tree import AudioFile
from asv.engine_interface import Session
from asv.errors import InputError
from asv.features.contract import Contract
from asv.features.extraction import CropSettings, crops_of, read_utterance
from asv.features.front_end import FrontEnd
from asv.inference import artefact
from asv.inference.embed import embed
from asv.scoring.cosine import cosine_scores

if TYPE_CHECKING:
    import numpy.typing as npt

CONTRACT, THRESHOLDS, ARTEFACT = "contract.json", "thresholds.json", "artefact"


@dataclass(frozen=True)
class Bundle:
    """What a folder holds, read.

    Attributes:
        front_end: makes features of samples.
        rules: which audio is accepted.
        crops: which parts of a recording are heard.
        averaging: of the embeddings of several crops.
        session: of the engine.
        batch_size: rows that it takes.
    """

    front_end: FrontEnd
    rules: AudioRules
    crops: CropSettings
    averaging: Any
    session: Session
    batch_size: int

    def embedding(self, path: Path, utterance: str) -> npt.NDArray[np.float32]:
        """The embedding of one recording, float32 ``(d,)``.

        Args:
            path: of the audio file.
            utterance: its id.

        Raises:
            InputError: where the file cannot be used.
        """
        file = AudioFile(str(path.parent), path.name, utterance, 0, 0)
        try:
            _, samples = read_utterance(file, self.rules, self.front_end.contract, self.crops)
        except AudioError as error:
            raise InputError(f"{path}: {error}") from error
        rows = np.stack(crops_of(utterance, samples, self.front_end, self.crops))
        (embedding,), _ = embed(self.session, rows, self.batch_size, len(rows), self.averaging)
        return embedding


@contextlib.contextmanager
def opened(folder: Path, device: int | None = None) -> Iterator[Bundle]:
    """The :class:`Bundle` of a folder; its session is closed at the end."""
    said = json.loads((folder / CONTRACT).read_text(encoding="utf-8"))
    record = artefact.read(folder / ARTEFACT)
    job = artefact.job(record, threads=1, options=record["options"], device=device)
    contract = Contract.from_mapping(said["contract"], CONTRACT)
    with contextlib.closing(artefact.load(folder / ARTEFACT, record, job)) as session:
        yield Bundle(
            FrontEnd(contract),
            AudioRules(contract.sample_rate, **said["audio"]),
            CropSettings(**said["crops"]),
            said["averaging"],
            session,
            job.batch_size,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("enrolment", type=Path, help="audio file")
    parser.add_argument("test", type=Path, help="audio file")
    parser.add_argument("--ids", nargs=2, metavar="ID", help="utterance ids of both; their file names unless given")
    parser.add_argument("--device", type=int, help="number of the NPU, where the artefact is for one")
    options = parser.parse_args()
    folder = Path(__file__).resolve().parent
    paths = (options.enrolment, options.test)
    with opened(folder, options.device) as bundle:
        pairs = zip(paths, options.ids or [path.name for path in paths])
        embeddings = np.stack([bundle.embedding(path, utterance) for path, utterance in pairs])
        if options.ids is None and bundle.crops.placement == "digest" and bundle.crops.frames is not None:
            print("note: crops lie by the files' names; with --ids, where the data set has them", file=sys.stderr)
    (score,) = cosine_scores(embeddings, np.array([0]), np.array([1]))
    print(f"score {score:.6f}")
    for name, points in json.loads((folder / THRESHOLDS).read_text(encoding="utf-8"))["lists"].items():
        for what, point in points.items():
            if point["threshold"] is not None:
                verdict = "accept" if score >= point["threshold"] else "reject"
                print(f"{verdict} at {point['threshold']:.6f} ({name}, {what})")


if __name__ == "__main__":
    try:
        main()
    except (InputError, OSError) as error:
        sys.exit(f"error: {error}")
