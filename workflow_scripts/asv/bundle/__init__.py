"""A folder to deploy: an artefact with all that it takes to score two recordings as the workflow does."""
