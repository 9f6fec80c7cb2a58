.DEFAULT_GOAL := help
.PHONY: help run test check bench drills

export PYTHON

help: ## Show these lines
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "make %-6s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## Install what is missing, migrate, load demo data once, start web and worker
	@bin/setup run
	@bin/run

test: ## Install what the tests need and run them all (ARGS="-k statements" runs some)
	@bin/setup test
	.venv/bin/python -m pytest -n auto --dist loadfile --no-loadscope-reorder $(ARGS)

check: ## Format, lint, types, templates, security lint, requirements
	@bin/setup check
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/djlint --lint --quiet webapp invoices
	.venv/bin/bandit -q -r webapp invoices -ll
	.venv/bin/python bin/check-requirements

bench: ## Measure beside raw SQL, Django and Flask-SQLAlchemy (ARGS="--users 100000 --only list")
	@bin/setup bench
	.venv/bin/python -m bench $(ARGS)

drills: ## Break things on purpose, at length (ARGS="kills life" does some; ROUNDS, MOMENTS, LIVES, MAILS say how often)
	@bin/setup test
	.venv/bin/python -m tests.drills $(ARGS)
