# Everything an engineer does here. `make` alone lists it. POSIX make and sh; the tools are Python packages,
# pinned with hashes, in environments of their own under this folder.
.POSIX:
.SUFFIXES:

ARCH ?= arm64
ENV = dev
PY = PYTHONPATH=layers/fanfare .venv/bin/python
# The operators' command line; STACK= names the deployed stack.
FANFARE = $${STACK:+env FANFARE_STACK="$$STACK"} env $(PY) -m operate
UV = .venv/bin/uv
SAM = SAM_CLI_TELEMETRY=0 PATH="$$PWD/.venv-sam/bin:$$PATH" .venv-sam/bin/python -m samcli
COMPILE = pip compile --quiet --universal --python-version 3.13 --generate-hashes --no-annotate --custom-compile-command "make lock"

# The build for this machine's own architecture, to be run here.
HERE = .aws-sam/this-machine
BUILD_HERE = arch=$$(uname -m | sed s/aarch64/arm64/) && mkdir -p $(HERE) && \
  { env ARCH=$$arch $(SAM) build --build-dir $(HERE) --parameter-overrides Architecture=$$arch >$(HERE).log 2>&1 || { cat $(HERE).log >&2; exit 1; }; }

# How the tests are run that need no servers, and those that start the local stack.
ALONE = -n auto --dist loadfile tests/unit tests/contract tests/integration
ON_STACKS = -n 2 --dist loadfile --no-loadscope-reorder tests/e2e

.PHONY: help run demo test test-long clients fuzz fuzz-api lint types build validate security deploy changeset deployer at-rest app outcomes redrive openapi request-costs schemathesis bench cost imports credential sam-ready sam-invoke sam-api simulate load killed changes lock clean key rehearse restore

### First steps

help: ## list these commands
	@awk -F'#+ ' '/^### / { printf "%s%s\n", again, $$2; again = "\n" } \
	  /^[a-z-]+:.*## / { split($$1, target, ":"); printf "  make %-14s%s\n", target[1], $$2 }' Makefile

run: .venv/.done .venv-ministack/.done ## start the local stack, play the main job, stay up
	@$(PY) -m local.demo --stay $${BRIDGE:+--bridge "$$BRIDGE"}

demo: .venv/.done .venv-ministack/.done ## the same, then exit
	@$(PY) -m local.demo

test: .venv/.done .venv-ministack/.done ## run the tests: unit, integration, contract, e2e (TESTS= names some, long ones as well)
	@if [ -n "$(TESTS)" ]; then exec env $(PY) -m pytest $(TESTS); fi; \
	env $(PY) -m pytest -m "not long" $(ALONE) && env $(PY) -m pytest -m "not long" $(ON_STACKS)

### Operating

build: .venv-sam/.done ## build functions and layers, without Docker, and list their contents: sbom.json (ARCH=arm64 or x86_64)
	@ARCH=$(ARCH) $(SAM) build --parameter-overrides Architecture=$(ARCH)
	@.venv-sam/bin/python -m cyclonedx_py requirements --output-reproducible --short-PURLs \
	  --output-file .aws-sam/build/sbom.json layers/dependencies/requirements.txt
	@du -sh .aws-sam/build/*

validate: .venv-sam/.done ## check template.yaml with SAM and cfn-lint
	@$(SAM) validate --lint
	@.venv-sam/bin/cfn-lint template.yaml
	@echo "template.yaml: cfn-lint has nothing to say"

security: .venv-security/.done ## look for weaknesses: checkov in the template, bandit in the code
	@nice .venv-security/bin/checkov --config-file .checkov.yaml
	@.venv-security/bin/bandit --quiet --configfile pyproject.toml --recursive functions layers/fanfare
	@.venv-security/bin/bandit --quiet --configfile pyproject.toml --recursive --severity-level medium operate local measure
	@echo "checkov and bandit have nothing to say"

deploy: .venv/.done .venv-sam/.done ## deploy to your AWS account (ENV=dev, staging or prod of samconfig.toml; PARAMETERS=)
	@starting=$$($(PY) -m operate preflight --env $(ENV) Architecture=$(ARCH) $(PARAMETERS)) && \
	$(MAKE) -s build && \
	$(SAM) deploy --config-env $(ENV) --parameter-overrides Architecture=$(ARCH) $$starting $(PARAMETERS)

changeset: build ## show the changes of a deployment, without deploying it (ENV= PARAMETERS=)
	@$(SAM) deploy --config-env $(ENV) --no-execute-changeset --parameter-overrides Architecture=$(ARCH) $(PARAMETERS)

deployer: .venv/.done ## print the IAM policy for deploying STACK=name, made from the template (ARGS="--account --region")
	@$(PY) -m operate deployer --stack "$(STACK)" $(ARGS)

at-rest: .venv/.done ## price a month without a call, counted from the template
	@$(PY) -m measure.at_rest

rehearse: .venv/.done .venv-ministack/.done .venv-sam/.done ## deploy to an emulator's CloudFormation as releases do: again, a layer alone, one that fails; minutes
	@$(BUILD_HERE)
	@$(PY) -m local.releases --build $(HERE)

app: .venv/.done ## make an app and print its keys, or set parameters of one, on the local stack or on STACK=name (ARGS=--help)
	@$(FANFARE) app $(ARGS)

credential: .venv/.done ## set, check, show or retire an app's FCM or APNs credential, there or on STACK=name (ARGS=--help)
	@$(FANFARE) credential $(ARGS)

key: .venv/.done ## change the signing keys, an app's key or its client secret, while calls go on, there or on STACK=name (ARGS=--help)
	@$(FANFARE) key $(ARGS)

redrive: .venv/.done ## send dead letters again, on the local stack or on STACK=name (ARGS=--help)
	@$(FANFARE) redrive $(ARGS)

restore: .venv/.done ## bring tables back to a point in time, on STACK=name (ARGS=--help; docs/operations.md)
	@$(FANFARE) restore $(ARGS)

outcomes: .venv/.done ## judge networks' answers: VECTORS=file
	@$(PY) -m operate outcomes "$(VECTORS)"

### Contributing

test-long: .venv/.done .venv-ministack/.done ## run the tests that `make test` leaves out because they take long
	@env $(PY) -m pytest -m long $(ALONE) && env $(PY) -m pytest -m long $(ON_STACKS)

lint: .venv/.done ## ruff: rules and form
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check --quiet .

types: .venv/.done ## mypy --strict
	@$(PY) -m mypy

clients: .venv/.done ## install Kii's own clients, and Node where it is missing (the tests do it, too)
	@$(PY) -m tests.e2e.node

fuzz: .venv-fuzz/.done ## look for bytes that break the reading of frames and headers (SECONDS=60)
	@PYTHONPATH=layers/fanfare:. .venv-fuzz/bin/python -m tests.fuzz $(SECONDS)

fuzz-api: .venv/.done ## look for requests that the API answers 5xx, or refuses and writes all the same (SECONDS=60 SEED=)
	@PYTHONPATH=layers/fanfare:. .venv/bin/python -m tests.fuzz.api $${SECONDS:-60} $(SEED)

schemathesis: .venv/.done ## requests made from the OpenAPI document: a sample, or for every route, which takes minutes (ALL=1)
	@FANFARE_SCHEMATHESIS=$(ALL) $(PY) -m pytest -q tests/fuzz/test_schemathesis.py

openapi: .venv/.done ## write docs/openapi.json from the code
	@$(PY) -m local.openapi

request-costs: .venv/.done ## count the reads and writes of each route in DynamoDB's units, and price a million
	@$(PY) -m measure.request_costs

# Programs are asked for first: nothing is installed for a run that cannot be.
bench: .venv/.done ## measure the CPU time of a push in our sender and its peers; takes minutes (ROUNDS= REQUESTS=)
	@$(PY) -m measure.bench --programs
	@$(MAKE) -s .venv-bench/.done measure/bench/clients/node_apn/node_modules/.done
	@$(PY) -m measure.bench $${ROUNDS:+--rounds "$$ROUNDS"} $${REQUESTS:+--requests "$$REQUESTS"}

cost: .venv/.done .venv-ministack/.done ## price everything on AWS, counted on the local stack; takes minutes (MOST=)
	@$(PY) -m measure.cost $${MOST:+--most "$$MOST"}

simulate: .venv/.done ## simulate the time and the costs on AWS of a send to millions (USERS= SHARE= PARAMETERS=; FLOOD=; or docs/scale.md)
	@$(PY) -m measure.simulation $${FLOOD:+--flood "$$FLOOD"} $${USERS:+--users "$$USERS"} $${SHARE:+--share "$$SHARE"} $(PARAMETERS)

load: .venv/.done .venv-ministack/.done ## time pushes in a send to N=10000, and single pushes beside it; memory of each function
	@$(PY) -m measure.load $${N:+--recipients "$$N"}

changes: .venv/.done .venv-ministack/.done ## see if 500 object changes a second in one bucket are kept up with (RATE= SUBSCRIBED= SECONDS=)
	@$(PY) -m measure.changes $${RATE:+--rate "$$RATE"} $${SUBSCRIBED:+--subscribed "$$SUBSCRIBED"} $(SECONDS)

killed: .venv/.done .venv-ministack/.done ## a send to N=100000 while fanout and deliver are killed at random, KILLS=20 times each
	@FANFARE_KILLED_SUBSCRIBERS=$${N:-100000} FANFARE_KILLED_TIMES=$${KILLS:-20} $(PY) -m pytest -q -s tests/e2e/test_killed.py

# In a folder of its own, so that what `make build` made for AWS stays as it is.
imports: .venv/.done .venv-sam/.done ## time the imports of each function, beside boto3 (ROUNDS= FUNCTION=name: its largest parts)
	@$(BUILD_HERE)
	@$(PY) -m measure.imports --build $(HERE) $${ROUNDS:+--rounds "$$ROUNDS"} $${FUNCTION:+--function "$$FUNCTION"}

sam-ready: .venv/.done .venv-sam/.done ## let `sam local` run on the local stack, and say how: docs/sam-local.md
	@$(BUILD_HERE)
	@$(PY) -m local.sam ready --build $(HERE)

sam-invoke: .venv/.done .venv-sam/.done ## run a function in Docker on a sample event (EVENT=events/topics/create.json ARGS=)
	@$(BUILD_HERE)
	@$(PY) -m local.sam invoke --build $(HERE) --event "$(EVENT)" --more="$(ARGS)"

sam-api: .venv/.done .venv-sam/.done ## the API in Docker, on port 3000 (ARGS=)
	@$(BUILD_HERE)
	@$(PY) -m local.sam api --build $(HERE) --more="$(ARGS)"

lock: .venv/.done ## pin the requirements anew (UPGRADE=--upgrade takes newer versions)
	@$(UV) $(COMPILE) $(UPGRADE) -o layers/dependencies/requirements.txt layers/dependencies/requirements.in
	@for name in dev fuzz ministack sam security node bench; do $(UV) $(COMPILE) $(UPGRADE) -o requirements-$$name.txt requirements-$$name.in || exit 1; done

clean: ## remove what was built, and caches
	@rm -rf .aws-sam .mypy_cache .ruff_cache .pytest_cache .hypothesis
	@find functions layers operate local measure tests -name __pycache__ -type d -prune -exec rm -rf {} +

# pyenv's shims stand on the PATH for versions that are not chosen, too: only a Python that runs counts.
.venv/.done: requirements-dev.txt
	@for python in python3.13 "$$HOME"/.pyenv/versions/3.13*/bin/python3.13 none; do \
	  "$$python" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' 2>/dev/null && break; \
	done; \
	if [ "$$python" = none ]; then echo "Python 3.13 is missing: no python3.13 on the PATH, none under ~/.pyenv/versions." >&2; exit 2; fi; \
	echo "Setting up .venv (once) with $$python"; \
	"$$python" -m venv .venv && sed -n '/^uv==/,/[^\\]$$/p' requirements-dev.txt > .venv/uv.txt && \
	.venv/bin/python -m pip --disable-pip-version-check install --quiet --quiet --require-hashes -r .venv/uv.txt
	@$(UV) pip sync --quiet --require-hashes --python .venv requirements-dev.txt
	@touch $@

.venv-ministack/.done: .venv/.done requirements-ministack.txt
	@echo "Setting up .venv-ministack (once): the AWS emulator of the local stack"
	@$(UV) venv --quiet --allow-existing --python .venv/bin/python .venv-ministack
	@$(UV) pip sync --quiet --require-hashes --python .venv-ministack requirements-ministack.txt
	@touch $@

.venv-fuzz/.done: .venv/.done requirements-fuzz.txt
	@echo "Setting up .venv-fuzz (once): atheris"
	@$(UV) venv --quiet --allow-existing --python .venv/bin/python .venv-fuzz
	@$(UV) pip sync --quiet --require-hashes --python .venv-fuzz requirements-fuzz.txt
	@touch $@

.venv-sam/.done: .venv/.done requirements-sam.txt
	@echo "Setting up .venv-sam (once): SAM CLI"
	@$(UV) venv --quiet --allow-existing --python .venv/bin/python .venv-sam
	@$(UV) pip sync --quiet --require-hashes --python .venv-sam requirements-sam.txt
	@touch $@

.venv-security/.done: .venv/.done requirements-security.txt
	@echo "Setting up .venv-security (once): checkov and bandit"
	@$(UV) venv --quiet --allow-existing --python .venv/bin/python .venv-security
	@$(UV) pip sync --quiet --require-hashes --python .venv-security requirements-security.txt
	@touch $@

.venv-node/.done: .venv/.done requirements-node.txt
	@echo "Setting up .venv-node (once): Node, which the PATH does not have"
	@$(UV) venv --quiet --allow-existing --python .venv/bin/python .venv-node
	@$(UV) pip sync --quiet --require-hashes --python .venv-node requirements-node.txt
	@touch $@

.venv-bench/.done: .venv/.done requirements-bench.txt
	@echo "Setting up .venv-bench (once): the senders that make bench compares with"
	@$(UV) venv --quiet --allow-existing --python .venv/bin/python .venv-bench
	@$(UV) pip sync --quiet --require-hashes --python .venv-bench requirements-bench.txt
	@touch $@

measure/bench/clients/node_apn/node_modules/.done: measure/bench/clients/node_apn/package-lock.json
	@echo "Setting up @parse/node-apn (once)"
	@cd measure/bench/clients/node_apn && npm ci --silent --no-audit --no-fund
	@touch $@
