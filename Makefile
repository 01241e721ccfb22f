# What a contributor does; CONTRIBUTING.md explains it. Each target uses the environment that is active.
.PHONY: help setup check test docs
help:
	@echo "make setup   install what development needs"
	@echo "make check   lint, format, spelling and types"
	@echo "make test    unit, contract and workflow tests, in minutes"
	@echo "make docs    the pages of docs/, into work/site"

setup:
	python -m pip install -r requirements-dev.txt

check:
	ruff check .
	ruff format --check .
	snakefmt --check .
	snakemake --lint
	codespell
	mypy

test:
	pytest -n 2

docs:
	mkdocs build --strict --site-dir work/site
