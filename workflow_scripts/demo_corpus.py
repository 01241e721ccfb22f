"""Make the demo corpus: synthetic voices in VoxCeleb1's layout, and a trial list in VoxCeleb's format.

Writes <speaker>/<session>/<number>.wav (16 kHz, 16 bit, mono): 30 speakers, 2 sessions, 4 utterances each, of random
words. Every run, on every machine of one kind, writes the same bytes; voices, words and trials are defined in
asv/demo/corpus.py.

The voices are spoken by eSpeak NG (GPLv3), through the wheel espeakng-loader: python -m pip install espeakng-loader.
It is needed at run time, for the demo alone.
"""

from __future__ import annotations

from pathlib import Path

from asv import cli
from asv.demo import corpus, recordings


def main():
    parser = cli.parser(__doc__)
    parser.add_argument("--output", type=Path, required=True, help="folder of the wavs; replaced if it exists")
    parser.add_argument("--trials", type=Path, required=True, help="file of the trial list")
    options = parser.parse_args()
    recordings.write_corpus(options.output, corpus.utterances(corpus.EVALUATION, corpus.EVALUATION_SESSIONS))
    recordings.write_trials(options.trials)


if __name__ == "__main__":
    cli.run(main)
