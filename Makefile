# rowvec. `make help` lists what can be done.
SHELL       := /bin/bash
.SHELLFLAGS := -o pipefail -ec
CACHE       := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/rowvec
TOOLS       := $(CACHE)/bin
VERSION     := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS     := -s -w -X main.version=$(VERSION)

GOLANGCI_VERSION := v2.15.0
BUF_VERSION      := v1.65.0
GOVULN_VERSION   := v1.8.0
PROTOC_GEN_GO    := v1.36.12
PROTOC_GEN_GRPC  := v1.6.2

GOLANGCI := $(TOOLS)/golangci-lint-$(GOLANGCI_VERSION)
GOVULN   := $(TOOLS)/govulncheck-$(GOVULN_VERSION)

.DEFAULT_GOAL := help
.PHONY: help build test test-unit test-e2e fuzz bench load lint fmt generate demo up down vulncheck tidy check-generated page check-page test-page browser pictures chaos endurance compiler

help: ## list the targets
	@grep -hE '^[a-z][a-z0-9-]*:.*## ' $(MAKEFILE_LIST) | sort | awk -F':.*## ' '{printf "  %-16s %s\n", $$1, $$2}'

build: ## build the function and the CLI into bin/
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o bin/ ./cmd/rowvec-function ./cmd/rowvec

demo: build ## from nothing to a working index, on the real stack
	go run ./deploy/demo

up: build ## start the local stack and leave it running; addresses in .rowvec/stack.env
	go run ./deploy/local up

down: ## end the local stack
	go run ./deploy/local down

test: compiler browser test-unit bench test-page test-e2e ## all tests, unit to end to end

test-unit: compiler ## unit, component and conformance tests on fakes, with the race detector; 100,000 histories without it
	go vet ./...
	go test -race -timeout 10m ./...
	go test -count=1 -timeout 10m -run '^TestTheGuarantee$$' ./function/indexer

bench: ## every benchmark once, so that they keep compiling and running
	go test -run '^$$' -bench . -benchtime 1x -timeout 10m ./...

LOADTIME ?= 1m
load: ## measure the gateway with the real Chroma: 200 searches a second, of new and of known questions, LOADTIME (1m) each
	ROWVEC_LOAD=$(LOADTIME) go test -count=1 -v -timeout 30m -run '^TestLoad$$' ./cli

# -count=1: what runs against the real stack is never taken from the cache. -p 1: each package has a stack of its own. A skipped test is a failure.
test-e2e: build browser ## end-to-end tests on the real stack, with short forms of chaos and endurance
	@mkdir -p e2e/out
	go test -count=1 -tags e2e -v -p 1 -timeout 45m ./e2e/... 2>&1 | tee e2e/out/e2e.log
	@if grep -q -- '--- SKIP' e2e/out/e2e.log; then echo 'a test was skipped: that is a failure' >&2; exit 1; fi

# CHAOS_ONLY, a regular expression, takes only the faults that it matches. Table and picture are left in e2e/out.
CHAOS_FOR  ?= 30m
CHAOS_SEED ?= 1
CHAOS_ONLY ?=
chaos: build ## the real stack under faults of every kind, for CHAOS_FOR (30m), as CHAOS_SEED (1) draws them
	@mkdir -p e2e/out
	CHAOS_FOR=$(CHAOS_FOR) CHAOS_SEED=$(CHAOS_SEED) CHAOS_ONLY='$(CHAOS_ONLY)' \
	  go test -count=1 -tags e2e -v -timeout 6h -run '^TestChaos$$' ./e2e/chaos/ 2>&1 | tee e2e/out/chaos.log

ENDURE_OUTAGE ?= 10m
ENDURE_ROWS   ?= 10000
ENDURE_LIMIT  ?= 5m
endurance: build ## the real stack through an endpoint's outage of ENDURE_OUTAGE (10m), poison among ENDURE_ROWS (10000), a provider's limit for ENDURE_LIMIT (5m)
	@mkdir -p e2e/out
	ENDURE_OUTAGE=$(ENDURE_OUTAGE) ENDURE_ROWS=$(ENDURE_ROWS) ENDURE_LIMIT=$(ENDURE_LIMIT) \
	  go test -count=1 -tags e2e -v -timeout 90m ./e2e/endurance 2>&1 | tee e2e/out/endurance.log

FUZZTIME ?= 10s
# Not in CI: a time limit now and then ends a target in "context deadline exceeded" without an input that fails. The seeds run with the unit tests.
fuzz: ## every fuzz target for FUZZTIME (10s)
	@for f in $$(grep -rlE '^func Fuzz' --include='*_test.go' .); do \
	  for t in $$(grep -oE '^func Fuzz[A-Za-z0-9_]*' $$f | cut -c6-); do \
	    echo "$$(dirname $$f) $$t"; go test -run '^$$' -fuzz "^$$t$$" -fuzztime $(FUZZTIME) $$(dirname $$f); \
	  done; done

lint: $(GOLANGCI) ## all linters, and that go.mod is in order
	$(GOLANGCI) config verify
	$(GOLANGCI) run ./...
	go mod tidy -diff

fmt: $(GOLANGCI) ## format
	$(GOLANGCI) fmt ./...

$(GOLANGCI):
	mkdir -p $(TOOLS)
	GOBIN=$(TOOLS) go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)
	mv $(TOOLS)/golangci-lint $@

# VULNDB is another database, such as file:///… for a copy of it.
VULNDB ?=
vulncheck: $(GOVULN) ## known vulnerabilities that our code reaches, by Go's database; those of .ci/vulnerabilities are accepted
	.ci/vulncheck $(GOVULN) $(if $(VULNDB),-db $(VULNDB))

$(GOVULN):
	mkdir -p $(TOOLS)
	GOBIN=$(TOOLS) go install golang.org/x/vuln/cmd/govulncheck@$(GOVULN_VERSION)
	mv $(TOOLS)/govulncheck $@

generate: $(TOOLS)/buf-$(BUF_VERSION) ## generate the code of the InstanceControl service
	GOBIN=$(TOOLS) go install google.golang.org/protobuf/cmd/protoc-gen-go@$(PROTOC_GEN_GO)
	GOBIN=$(TOOLS) go install google.golang.org/grpc/cmd/protoc-gen-go-grpc@$(PROTOC_GEN_GRPC)
	cd function/instance/proto && PATH="$(TOOLS):$$PATH" $(TOOLS)/buf-$(BUF_VERSION) generate

$(TOOLS)/buf-$(BUF_VERSION):
	mkdir -p $(TOOLS)
	GOBIN=$(TOOLS) go install github.com/bufbuild/buf/cmd/buf@$(BUF_VERSION)
	mv $(TOOLS)/buf $@

# Node.js 20.19 or newer, and Chromium: root gets what is missing from the distribution, others are told.
APT := [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && export DEBIAN_FRONTEND=noninteractive && apt-get update -q && apt-get install -yq --no-install-recommends
NODE := node -e 'const [a, b] = process.versions.node.split("."); process.exit(+a > 20 || (+a == 20 && +b >= 19) ? 0 : 1)' 2>/dev/null && command -v npm >/dev/null

# Installed again when the lock file is newer. Scripts of packages do not run: none is needed.
web/node_modules/.package-lock.json: web/package-lock.json
	@{ $(NODE); } || { $(APT) nodejs npm && $(NODE); } || { \
	  echo 'the page is built with Node.js 20.19 or newer and npm: sudo apt-get install -y nodejs npm (Debian 13 and later; for others https://nodejs.org/en/download)' >&2; exit 1; }
	cd web && npm ci --ignore-scripts --no-audit --no-fund
	@touch $@

# The race detector is linked by the C compiler.
compiler:
	@command -v "$${CC:-gcc}" >/dev/null || { $(APT) gcc libc6-dev; } || { \
	  echo 'the tests need a C compiler, for the race detector: sudo apt-get install -y gcc libc6-dev, or set CC' >&2; exit 1; }

browser: web/node_modules/.package-lock.json
	@test -x "$${CHROMIUM:-/usr/bin/chromium}" || { $(APT) chromium; } || { \
	  echo 'the page is tested in Chromium: sudo apt-get install -y chromium, or set CHROMIUM' >&2; exit 1; }

page: web/node_modules/.package-lock.json ## build the gateway's page into gateway/page/dist
	cd web && npm run build

check-page: web/node_modules/.package-lock.json ## fail when the built page is not what its sources make
	rm -rf web/out/dist
	cd web && PAGE_OUT=out/dist npm run build
	@diff -r web/out/dist gateway/page/dist || { echo 'gateway/page/dist is not what web/ makes: run make page and commit it' >&2; exit 1; }

test-page: browser ## unit tests of the page, and the built page in headless Chromium
	cd web && npm test
	cd web && npm run e2e

pictures: build browser ## photograph the page before the real stack at work, into docs/img (8 minutes)
	ROWVEC_PICTURES=docs/img ROWVEC_WARM_UP=5m go test -count=1 -tags e2e -v -timeout 30m -run '^TestPage$$' ./e2e

check-generated: generate ## fail when the generated code is not what is committed
	git diff --exit-code -- function/instance/proto

tidy: ## go mod tidy
	go mod tidy
