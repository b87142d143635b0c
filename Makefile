# Kizuna: the commands you need. `make help` lists them.
SHELL := /bin/bash
BIN   := bin/kizuna
# For builds and tests alike, so that nothing is compiled twice.
export GOFLAGS := $(strip -trimpath $(filter-out -trimpath,$(GOFLAGS)))

.DEFAULT_GOAL := help
SHOTS ?= /tmp/kizuna-shots

.PHONY: shots help demo build web test test-short lint lint-go lint-web fmt gen verify fuzz clean

help: ## list the commands
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: build ## build, start with a sample business and a local mailbox, print where to look
	@$(BIN) demo

# The console is built anew when something of it has changed, and its packages are fetched anew when their lock has. Without npm
# the binary shows a page that says so.
WEB     := web/console
WEB_OUT := internal/console/dist/app/index.html
WEB_SRC := $(shell find $(WEB) \( -name node_modules -o -name dist -o -name schema.d.ts \) -prune -o -type f -print)

$(WEB)/node_modules/.package-lock.json: $(WEB)/package-lock.json
	@cd $(WEB) && npm ci --no-audit --no-fund --silent && touch node_modules/.package-lock.json

web/tools/openapi/node_modules/.package-lock.json: web/tools/openapi/package-lock.json
	@cd web/tools/openapi && npm ci --no-audit --no-fund --silent && touch node_modules/.package-lock.json

$(WEB)/src/api/schema.d.ts: api/openapi.json web/tools/openapi/node_modules/.package-lock.json
	@cd web/tools/openapi && npm run --silent generate >/dev/null

$(WEB_OUT): $(WEB)/node_modules/.package-lock.json $(WEB_SRC) | $(WEB)/src/api/schema.d.ts
	@cd $(WEB) && npm run --silent check && npm run --silent build >build.log 2>&1 || { cat build.log; rm -f build.log; exit 1; }; tail -n 1 build.log; rm -f build.log

web: ## build the console that the binary carries
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory $(WEB_OUT); else echo "npm is not installed: the binary comes without its console (Debian: apt install nodejs npm)"; fi

build: web ## build bin/kizuna
	@mkdir -p bin
	@go build -o $(BIN) ./cmd/kizuna

test: ## run every test that this machine can run; what it cannot is listed with the reason
	@test/run.sh

test-short: ## the same without the long stories (kill loops, real peers, browsers)
	@test/run.sh -short

lint: lint-go lint-web ## vet, staticcheck, gofumpt; tsc, oxlint, biome

lint-go:
	@go vet ./...
	@go tool staticcheck ./...
	@out="$$(go tool gofumpt -l cmd internal test)"; if [ -n "$$out" ]; then echo "not formatted, run make fmt:"; echo "$$out"; exit 1; fi

lint-web: $(WEB)/node_modules/.package-lock.json $(WEB)/src/api/schema.d.ts
	@cd $(WEB) && npm run --silent check && npm run --silent lint

fmt: ## format the code
	@go tool gofumpt -w cmd internal test
	@cd $(WEB) && npm run --silent fmt

gen: build ## write api/openapi.json anew
	@mkdir -p api
	@$(BIN) openapi > api/openapi.json

verify: gen ## fail if generated files differ from what is committed
	@git diff --exit-code --stat -- api || (echo "run make gen and commit api/openapi.json"; exit 1)

shots: build ## pictures of every page of the console in three languages, light and dark, two sizes (SHOTS names the folder)
	@test/e2e/with-demo.sh node web/console/test/shots.mjs DEMO $(SHOTS)

fuzz: ## run each fuzz target for 30 seconds
	@for t in $$(grep -rl --include='*_test.go' '^func Fuzz' internal | xargs -n1 dirname | sort -u); do \
	  for f in $$(grep -rhoE '^func (Fuzz[A-Za-z0-9_]*)' $$t --include='*_test.go' | awk '{print $$2}'); do \
	    echo "$$t $$f"; go test -run '^$$' -fuzz "^$$f$$" -fuzztime 30s ./$$t || exit 1; done; done

clean: ## remove what the build made (not data folders)
	@rm -rf bin $(WEB)/dist internal/console/dist/app
