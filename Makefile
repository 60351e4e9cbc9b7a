# Everything goes through .venv; the first target that needs it makes it.
SHELL := /bin/bash
PY := .venv/bin/python
STAMP := .venv/.teken-ready

.PHONY: demo test check fmt run certs bench lock clean

demo: $(STAMP)        ## play all five procedures to the end and keep serving
	$(PY) -m service.cli demo

test: $(STAMP) tools  ## all tests, on a real PostgreSQL and Redis
	$(PY) -m pytest -n 3 --dist worksteal  # one more than two cores: a fifth of the time is waiting for servers and locks

check: $(STAMP)       ## format, lint, types, import rules, office data, known vulnerabilities (AUDIT=strict: an index without advisories fails)
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m ruff check --isolated --select S --ignore S101 service/store/migrations scripts/audit
	$(PY) -m mypy
	.venv/bin/lint-imports
	$(PY) -m service.cli office check
	$(PY) scripts/audit

fmt: $(STAMP)
	$(PY) -m ruff format .
	$(PY) -m ruff check --fix .

run: certs            ## web, worker and signer on embedded defaults
	$(PY) -m service.cli run

certs: $(STAMP)       ## the environment with the teken command, and the development PKI
	$(PY) -m service.cli certs

bench: $(STAMP)       ## what a permit and a signature cost, beside others (docs/BENCHMARKS.md)
	-@scripts/peers
	$(PY) -m benchmarks

.PHONY: fuzz
fuzz: $(STAMP)        ## N= mutated PDFs (100,000) through the inspector; SEED=, MINUTES=; REPLAY=FILE judges one finding again
	$(PY) -m tests.fuzz $(if $(REPLAY),--replay $(REPLAY),--count $(or $(N),100000) --minutes $(or $(MINUTES),0) $(if $(SEED),--seed $(SEED)))

.PHONY: faults
faults: $(STAMP) tools ## every row of the fault table on both databases, under an hour; SEED=, ROW=, ENGINE=, N= scenes a row; REPLAY= one scene again
	$(PY) -m tests.faults $(if $(REPLAY),--replay '$(REPLAY)',$(if $(SEED),--seed $(SEED)) $(if $(ROW),--row $(ROW)) $(if $(ENGINE),--engine $(ENGINE)) $(if $(N),--most $(N)))

.PHONY: hosts
hosts: $(STAMP) tools ## as root: eight hosts in network namespaces, killed and cut off while cases flow; COUNT=, BATCH=, ONLY=calm or rough; DOWN=1 cleans up
	@scripts/need ip iproute2 setpriv util-linux
	$(PY) -m tests.hosts.run $(if $(DOWN),--down,--count $(or $(COUNT),2000) --batch $(or $(BATCH),500) $(if $(ONLY),--only $(ONLY)))

lock: $(STAMP)        ## newest versions that satisfy pyproject.toml
	.venv/bin/python -m pip install -q uv
	.venv/bin/uv pip compile pyproject.toml --extra dev --generate-hashes --universal --python-version 3.11 --no-header --no-emit-index-url --upgrade -q -o requirements.lock

.PHONY: tools
tools:                ## PostgreSQL, Redis, nginx, poppler, SoftHSM and Chromium: installed when root, named otherwise
	@scripts/need initdb postgresql redis-server redis-server nginx nginx-light pdfsig poppler-utils softhsm2-util softhsm2 chromium chromium libzbar libzbar0

$(STAMP): requirements.lock pyproject.toml
	@scripts/environment
	@touch $(STAMP)

.PHONY: conformance
conformance: $(STAMP) ## outside judges on our papers (docs/CONFORMANCE.md; needs Java and Maven), the desk played through in a browser, the rest of the matrices
	@scripts/need javac default-jdk-headless mvn maven qpdf qpdf pdfsig poppler-utils chromium chromium
	$(PY) -m pytest -m "" tests/conformance/verdicts.py tests/signing/test_years.py
	$(PY) -m pytest -n 2 --dist worksteal -m "played or thorough" tests

clean:
	rm -rf var build .mypy_cache .ruff_cache .pytest_cache
