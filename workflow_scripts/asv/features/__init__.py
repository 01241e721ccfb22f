"""Log-mel features of crops, and the manifest of the utterances that they belong to."""
