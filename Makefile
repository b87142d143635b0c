# Kizuna: the commands you need. `make help` lists them.
SHELL := /bin/bash
BIN   := bin/kizuna
GOFLAGS_BUILD := -trimpath

.DEFAULT_GOAL := help
.PHONY: help demo build test test-short lint fmt gen verify fuzz clean

help: ## list the commands
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: build ## build, start with a sample business and a local mailbox, print where to look
	@$(BIN) demo

build: ## build bin/kizuna
	@mkdir -p bin
	@go build $(GOFLAGS_BUILD) -o $(BIN) ./cmd/kizuna

test: ## run every test that this machine can run; what it cannot is listed with the reason
	@test/run.sh

test-short: ## the same without the long stories (kill loops, real peers, browsers)
	@test/run.sh -short

lint: ## vet, staticcheck, gofumpt
	@go vet ./...
	@go tool staticcheck ./...
	@out="$$(go tool gofumpt -l cmd internal test)"; if [ -n "$$out" ]; then echo "not formatted, run make fmt:"; echo "$$out"; exit 1; fi

fmt: ## format the code
	@go tool gofumpt -w cmd internal test

gen: build ## write api/openapi.json anew
	@mkdir -p api
	@$(BIN) openapi > api/openapi.json

verify: gen ## fail if generated files differ from what is committed
	@git diff --exit-code --stat -- api || (echo "run make gen and commit api/openapi.json"; exit 1)

fuzz: ## run each fuzz target for 30 seconds
	@for t in $$(grep -rl --include='*_test.go' '^func Fuzz' internal | xargs -n1 dirname | sort -u); do \
	  for f in $$(grep -rhoE '^func (Fuzz[A-Za-z0-9_]*)' $$t --include='*_test.go' | awk '{print $$2}'); do \
	    echo "$$t $$f"; go test -run '^$$' -fuzz "^$$f$$" -fuzztime 30s ./$$t || exit 1; done; done

clean: ## remove what the build made (not data folders)
	@rm -rf bin
