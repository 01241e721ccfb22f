"""The tree of a data set: which folders are speakers, and which files are their utterances."""
