# Emberlatch. `make help` lists the targets.
GO ?= go
BIN := bin/emberlatch
export CGO_ENABLED ?= 0

.DEFAULT_GOAL := help
.PHONY: help build dev test test-hapi nightly setup check generate fuzz bench clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1	/' | expand -t 20

# Neither the compiler's debugging tables, which -s throws away, nor its garbage collector,
# below a gigabyte, are worth their time on a first build: a fifth of it.
build: ## build the one binary, bin/emberlatch
	@GOGC=off GOMEMLIMIT=1GiB $(GO) build -trimpath -gcflags=all=-dwarf=false -ldflags "-s -w" -o $(BIN) ./cmd/emberlatch

dev: build ## run the sandbox at http://localhost:8765 (needs Go only)
	@exec $(BIN) dev $(ARGS)

setup: ## install or name what `make test` needs (PostgreSQL, Chromium, nginx, Node packages)
	@scripts/setup.sh

test: setup ## everything a contributor must pass
	@scripts/test.sh

test-hapi: ## the gateway in front of a HAPI FHIR server (needs Java and Maven; MOST=0 loads all)
	@scripts/hapi.sh

nightly: ## 100,000 random cases, revocations under load, planted bugs (SCALE=10: a tenth)
	@scripts/nightly.sh

check: ## the quick gate: formatting, vet, the house, documentation
	@scripts/check.sh

generate: ## make generated tables, docs/conformance.md and docs/errors.md anew
	@$(GO) generate ./fhir/... && $(GO) run ./internal/house/conformance && $(GO) run ./internal/house/catalogue

fuzz: ## run every fuzz target for FUZZTIME (default 5m)
	@scripts/fuzz.sh $(or $(FUZZTIME),5m)

bench: build ## measure the built binary beside its ceilings; see docs/performance.md
	@BIN=$(BIN) scripts/bench.sh $(ARGS)

clean: ## remove what was built
	@rm -rf bin node_modules test/clients/node_modules
