# recipekit: the habits of the house, each a line
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
# A shell may forbid byte code; then every process of the tests compiles all that it imports of recipekit, and pytest every test.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test check bench reproduce lock clean

run: $(READY)  ## convert the shipped model by the shipped recipe
	$(BIN)/recipekit run recipe=mobilenet_int8

# The everyday loop tries fewer examples of each property than `make test`, which has it as its first half.
EXAMPLES := --hypothesis-profile everyday
test: EXAMPLES :=
test: $(READY) check  ## everything
	$(BIN)/python -m pytest -q -m "tensorflow or slow" -n 2 --dist loadfile --no-loadscope-reorder

check: $(READY)  ## lint, types, tests without TensorFlow: the everyday loop
	$(BIN)/ruff format --check -q .
	$(BIN)/ruff check -q .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q -m "not tensorflow and not slow" -n 2 $(EXAMPLES)

bench: $(READY)  ## recipekit against hand-written scripts, side by side, into docs/performance.md; an hour on an idle machine
	$(BIN)/python -m tests.benchmarks --write

reproduce: $(READY)  ## every shipped recipe's output again, byte for byte, in a second environment made from the lock
	$(BIN)/python -m tests.second_environment

lock:  ## resolve the dependencies anew (needs uv)
	uv pip compile pyproject.toml --group dev --all-extras --universal --python-version 3.10 --generate-hashes \
	  --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" --output-file .lock/requirements.txt

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(READY): .lock/requirements.txt pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --no-compile --require-hashes --requirement .lock/requirements.txt
	$(BIN)/python -m compileall -q -j 0 .venv/lib >.venv/compiled.log 2>&1 || true  # pip would take one processor; templates of packages fail
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $(READY)
