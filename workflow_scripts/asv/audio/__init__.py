"""Reading audio files of every container, with every fault reported."""
