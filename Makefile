# make book    environment, install, HTML; prints where it is (no torch)
# make test    the same environment with everything the suite needs, and the suite on all cores
# make notebooks [NB=01_gradients]   execute and normalise the chapters
# make chapter NB=08_optimizers [TITLE=...] [PART=yes]   begin a chapter, or a part of one
# make changed [NB=01_gradients]   what the newest allowed versions change in the outputs
# make colab [NB=01_gradients]     the published notebooks with the versions that Colab has
# make links   whether the external links lead somewhere: asks other people's servers
# make bench [BENCH="--peers fit --workloads W1"]   measure, and rewrite the book's table
#            (python -m benchmarks.architectures measures the other table of that page)
# make lint | serve | clean

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check -q
HTML   := _build/html
PORT   ?= 8471
NB     ?=

.PHONY: book test notebooks chapter changed colab links lint bench serve clean
.DEFAULT_GOAL := book

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit("dlnotes needs Python 3.11 or newer: make PYTHON=python3.11" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)

$(VENV)/book.stamp: pyproject.toml constraints.txt tools/requirements.py | $(BIN)/python
	$(BIN)/python tools/requirements.py book > $(VENV)/book.txt
	$(PIP) install -r $(VENV)/book.txt -c constraints.txt
	touch $@

$(VENV)/test.stamp: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) install -e '.[book,test]' -c constraints.txt
	touch $@ $(VENV)/book.stamp

book: $(VENV)/book.stamp
	$(BIN)/jupyter-book build . -W -n --keep-going -q
	@echo "The book is at $(CURDIR)/$(HTML)/index.html"

test: $(VENV)/test.stamp book
	# Half as many workers again as there are cores: much of the time one waits for a browser.
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $$($(BIN)/python -c 'import os; print((os.cpu_count() or 1) * 3 // 2)')

notebooks: $(VENV)/test.stamp
	$(BIN)/python tools/notebooks.py $(NB)

chapter: $(VENV)/test.stamp
	$(BIN)/python tools/chapter.py $(if $(PART),--part) "$(NB)" $(if $(TITLE),"$(TITLE)")

# Not a stamp but every time: tomorrow's newest versions are others.
changed: | $(BIN)/python
	$(PYTHON) -m venv $(VENV)-newest
	$(VENV)-newest/bin/python -m pip -q install --upgrade --upgrade-strategy eager -e '.[test]'
	$(VENV)-newest/bin/python -m pytest -W default --changed _build/changed.md \
	    $(if $(NB),notebooks/$(NB).ipynb,notebooks)

$(VENV)-colab/stamp: tests/colab/requirements.txt
	$(PYTHON) -m venv $(VENV)-colab
	$(VENV)-colab/bin/python -m pip --disable-pip-version-check -q install -r $< \
	    nbclient 'nbval<0.12' pillow pytest-xdist
	touch $@

# The whole site is built for an address on this machine and served there; its notebooks lie in
# a folder with nothing else, and install the wheel from that address as they do in Colab.
colab: $(VENV)/book.stamp $(VENV)-colab/stamp
	rm -rf _build/colab
	DLNOTES_SITE_URL=http://127.0.0.1:$(PORT) \
	    $(BIN)/jupyter-book build . --path-output _build/colab -W -n --keep-going -q
	mkdir _build/colab/notebooks
	cp _build/colab/_build/html/_sources/notebooks/$(or $(NB),*).ipynb _build/colab/notebooks
	$(VENV)-colab/bin/python -m pip -q uninstall -y dlnotes
	$(BIN)/python -m http.server -b 127.0.0.1 -d _build/colab/_build/html $(PORT) & \
	trap "kill $$!" EXIT; PYTHONPATH=$(CURDIR)/tests/colab $(VENV)-colab/bin/python \
	    -m pytest -W default --changed _build/colab.md _build/colab/notebooks

links: $(VENV)/book.stamp
	rm -rf _build/links
	-$(BIN)/jupyter-book build . --builder linkcheck --path-output _build/links -q >/dev/null 2>&1
	$(BIN)/python tools/links.py _build/links/_build/html/output.json

lint: $(VENV)/test.stamp
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

# An environment of its own: the libraries measured against are no dependency.
$(VENV)-bench/stamp: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)-bench
	$(VENV)-bench/bin/python -m pip --disable-pip-version-check -q install -e '.[bench]' -c constraints.txt
	# fastai asks for torchvision, whose wheel on PyPI is built for CUDA: beside a CPU build of
	# torch it fails on import and takes Lightning and Poutyne with it. Nothing here needs it.
	$(VENV)-bench/bin/python -c 'import torch, sys; sys.exit(torch.version.cuda is None)' || \
	    $(VENV)-bench/bin/python -m pip -q uninstall -y torchvision
	touch $@

bench: $(VENV)-bench/stamp
	$(VENV)-bench/bin/python -m benchmarks $(BENCH)

serve: book
	$(BIN)/python -m http.server -d $(HTML)

clean:
	rm -rf _build build
