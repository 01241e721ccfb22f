"""What the Snakefile asks: the configuration, keys and what is checked before the first job."""
