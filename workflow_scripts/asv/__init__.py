"""Core of the workflow: everything the stage scripts do, importable and testable without Snakemake."""
