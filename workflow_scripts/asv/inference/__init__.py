"""Running an engine's artefact over features."""
