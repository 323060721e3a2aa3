# What can be done here, a line each: `make`. Long steps say what they wait for.
#
# Settings, with their defaults:
#   KVT_CLUSTER   local, kind or current: which Kubernetes is used (the first that can work here)
#   KVT_HOME      where caches are kept (~/.cache/kvtenant)
#   SEEDS, SEED_START   for `make sim` (2000 from 1) and `make differential` (60 from 1)
#   OF, MUTANT, WITHOUT   for `make sim`: store or cluster, a defect of the store, a safeguard of the cluster
#   TARGET, SECONDS_EACH   for `make fuzz`
#   NODES         for `make cluster` (2)
#   WORK, SERVERS, ROUNDS, SECONDS_EACH, KEYS, WRITE   for `make bench`; `.ci/program bench --help` explains them

SHELL := /bin/bash
.DEFAULT_GOAL := help

CARGO ?= cargo
TESTBED := .ci/program testbed
# All of the workspace at once: cargo then builds one set of dependencies, not one for every choice of crates.
TESTS := $(CARGO) test --workspace --locked
NODES ?= 2
SIM := $(CARGO) run --release --locked -p kvnode-sim -- --seeds $(or $(SEEDS),2000) --seed-start $(or $(SEED_START),1)

# An error is a sentence here; where it was made is asked for by hand.
export RUST_BACKTRACE ?= 0

##@ Try it

.PHONY: demo
demo: ## From nothing to "here is your tenant": cluster, operator, a first key
	.ci/program demo

.PHONY: demo-down
demo-down: ## Remove what `make demo` made
	$(TESTBED) --name demo down

##@ Test it

.PHONY: test
test: ## All that has to hold before a change lands: check, unit, sim, fuzz, api, differential, interface, clients, image, smoke
	@.ci/stages check unit sim fuzz api differential interface clients image smoke

.PHONY: check
check: fmt lint doc crds-current manifests deny ## Format, lints, documentation, generated files, manifests, licences

.PHONY: fmt
fmt:
	$(CARGO) fmt --all --check
	$(CARGO) fmt --all --check --manifest-path kvnode/fuzz/Cargo.toml
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); \
	  if [ -n "$$unformatted" ]; then echo "gofmt would change: $$unformatted"; exit 1; fi

.PHONY: lint
lint:
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings
	@.ci/walls
	@.ci/no-machine-paths

.PHONY: doc
doc:
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --locked --document-private-items
	@.ci/links

.PHONY: crds-current
crds-current:
	crds/generate.sh --check

.PHONY: manifests
manifests:
	tests/check-manifests.sh

.PHONY: deny
deny:
	.ci/tool cargo-deny 0.20.2 --version
	$$(.ci/tool --path cargo-deny) --locked --all-features check --hide-inclusion-graph licenses bans sources

.PHONY: unit
unit: ## Tests that need nothing but the machine (L0)
	$(TESTS)

.PHONY: sim
sim: ## Seeded simulation of the store and of a cluster (L1): OF=both SEEDS=2000 SEED_START=1 MUTANT= WITHOUT=
	$(foreach of,$(or $(OF),store cluster),$(SIM) --of $(of) $(if $(MUTANT),--mutant $(MUTANT)) $(if $(WITHOUT),--without $(WITHOUT)) &&) true

.PHONY: sim-mutants
sim-mutants: ## Leave out each safeguard of the cluster in turn, which the simulation has to notice: SEEDS=2000
	$(SIM) --of cluster --each-safeguard

.PHONY: fuzz
fuzz: ## Made-up bytes for each reader of the network or the disk: TARGET=all of them, SECONDS_EACH=15
	SECONDS_EACH=$(or $(SECONDS_EACH),15) .ci/fuzz $(TARGET)

.PHONY: durability
durability: ## Kill a node while clients write, ROUNDS=200 times each way, and look for what is missing
	ROUNDS=$(or $(ROUNDS),200) $(CARGO) test --locked -p kvnode --test node -- killed kill --nocapture

.PHONY: api
api: ## Tests against a real API server, without nodes (L2)
	$(TESTS) --test api_server --test operator

.PHONY: differential
differential: ## Random commands on kvnode and a real redis-server, whose replies must be equal; SEEDS=60 SEED_START=1
	SEEDS=$(SEEDS) SEED_START=$(SEED_START) $(TESTS) --test redis_differential

.PHONY: interface
interface: ## Requests made up from the OpenAPI document, whose answers must be as it says; SEED=1
	$(if $(SEED),SEED=$(SEED)) $(TESTS) --test interface -- --nocapture

.PHONY: clients
clients: ## Programs with redis-py, go-redis, ioredis, lettuce, redis-rs, redis-cli, redis-benchmark on redis-server and kvnode
	$(TESTS) --test clients -- --nocapture

.PHONY: smoke
smoke: ## The test bed's own tests and a first tenant, on a whole cluster (L3)
	$(TESTS) --no-run --test cluster --test tenant --test lifecycle
	$(TESTBED) --name smoke with --nodes 2 -- $(TESTS) --test cluster --test tenant
	$(TESTS) --test lifecycle

.PHONY: e2e
e2e: image smoke ## All tests that need a whole cluster (L3)

.PHONY: bench
bench: ## Measure against others: WORK=all|http|resp|memory|connections|start, WRITE=1 keeps docs/benchmarks/WORK.md
	$(CARGO) run --release --locked -p kvtenant-tests --bin bench

##@ Build it

.PHONY: image
image: ## Build both images; prints where their archives are
	$(TESTBED) images

.PHONY: crds
crds: ## Write crds/ and the chart's copy from the Rust types
	crds/generate.sh

.PHONY: docs
docs: doc ## Build the API documentation and check the links of docs/
	@echo "open $${CARGO_TARGET_DIR:-target}/doc/kvtenant_api/index.html"

##@ A cluster of your own

.PHONY: cluster
cluster: ## A real Kubernetes on this machine: NODES=2
	$(TESTBED) up --nodes $(NODES)

.PHONY: cluster-down
cluster-down: ## Remove it
	$(TESTBED) down

##@ Housekeeping

.PHONY: clean
clean: ## Remove what cargo built; caches of programs and images stay (see KVT_HOME)
	$(CARGO) clean

.PHONY: help
help:
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n\033[1m%s\033[0m\n", substr($$0, 5)} \
	  /^[a-z0-9-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
