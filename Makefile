# What a contributor does; CONTRIBUTING.md explains it. Each target uses the environment that is active.
.PHONY: help setup check test docs
help:
	@echo "make setup   install what development needs"
	@echo "make check   lint, format and spelling, in seconds"
	@echo "make test    unit, contract and workflow tests, in minutes"
	@echo "make docs    the pages of docs/, where mkdocs.yml is"

setup:
	python -m pip install -r requirements-dev.txt

check:
	ruff check .
	ruff format --check .
	snakefmt --check .
	snakemake --lint
	codespell

test:
	pytest

docs:
	mkdocs build --strict
