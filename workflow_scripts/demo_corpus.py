"""Make the demo corpus: synthetic voices in VoxCeleb1's layout, and a trial list in VoxCeleb's format.

Writes <speaker>/<session>/<number>.wav (16 kHz, 16 bit, mono): 30 speakers, 2 sessions, 4 utterances each, of random
words. Every run, on every machine of one kind, writes the same bytes; voices, words and trials are defined in
asv/demo.py.

The voices are spoken by eSpeak NG (GPLv3), through the wheel espeakng-loader: python -m pip install espeakng-loader.
It is needed at run time, for the demo alone.
"""

from __future__ import annotations

from pathlib import Path

import soundfile

from asv import cli, files
from asv.demo import corpus
from asv.progress import progress


def write_corpus(folder, utterances):
    """Write the utterances' wavs below a folder, which appears when it is whole."""
    with files.atomic_folder(folder) as temporary:
        for utterance in progress(utterances, "demo corpus", "utterance"):
            path = temporary / utterance.name
            path.parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(path, corpus.speak(utterance), 16000, subtype="PCM_16")


def write_trials(path):
    """Write the trial list: a line each, such as ``1 id90001/s1/00001.wav id90001/s2/00002.wav``."""
    files.write_text(path, "".join(f"{label:d} {first} {second}\n" for label, first, second in corpus.trials()))


def main():
    parser = cli.parser(__doc__)
    parser.add_argument("--output", type=Path, required=True, help="folder of the wavs; replaced if it exists")
    parser.add_argument("--trials", type=Path, required=True, help="file of the trial list")
    options = parser.parse_args()
    write_corpus(options.output, corpus.utterances(corpus.EVALUATION, corpus.EVALUATION_SESSIONS))
    write_trials(options.trials)


if __name__ == "__main__":
    cli.run(main)
