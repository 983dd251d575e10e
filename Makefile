# `make demo` and `make test` install what is missing, then run. See scripts/setup for what they need and do.
PYTHON := .venv/bin/python
THREADS := OMP_NUM_THREADS=1

.PHONY: demo test test-ranks lint docs gallery setup benchmarks

demo: setup
	$(THREADS) .venv/bin/multiscale run examples/fracture/silicon_crack.yaml -o results/silicon_crack --force

test: setup
	$(THREADS) $(PYTHON) -m pytest

# The tests of schemes, interfaces, solvers and mesh, each on all ranks together: RANKS=2 if not said otherwise.
RANKS := 2
test-ranks: setup
	$(THREADS) mpirun -n $(RANKS) --oversubscribe $(PYTHON) -m mpi4py -m pytest $$($(PYTHON) -m tests.on_ranks)

lint: setup
	.venv/bin/ruff check . && .venv/bin/ruff format --check . && .venv/bin/mypy && .venv/bin/lint-imports

docs: setup
	$(PYTHON) -m sphinx -W --keep-going -q -a -j auto -c docs -d build/doctrees . build/docs
	@echo "build/docs/index.html"

gallery: setup
	$(THREADS) $(PYTHON) docs/generate gallery --run

setup:
	@scripts/setup

benchmarks: setup
	$(THREADS) $(PYTHON) benchmarks/blending_2d.py
	$(THREADS) $(PYTHON) benchmarks/silicon_checks.py
	$(THREADS) $(PYTHON) benchmarks/potential_speed.py
	$(THREADS) $(PYTHON) benchmarks/laws.py
	$(THREADS) $(PYTHON) benchmarks/silicon_k_limits.py
	$(THREADS) $(PYTHON) benchmarks/efficiency.py
	$(THREADS) $(PYTHON) benchmarks/scaling.py
	$(THREADS) $(PYTHON) benchmarks/ranks.py
