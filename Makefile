# make demo and make test do everything from a fresh clone; see make help.
# CUDA=1, VULKAN=1 and BLAS=1 build llama.cpp with that backend; on a Mac, Metal comes by itself.

TOOLS := go c++ cmake ninja git
ANNOUNCE := scripts/announce
export CUDA VULKAN BLAS

# Where make install puts bin/, lib/amend/ and share/, below DESTDIR if that is given.
PREFIX ?= /usr/local

.PHONY: build models demo test test-pure checkapi figures race unattached lint install dist clean help

build: ## llama.cpp's libraries (lib/) and the binary (bin/amend)
	@$(ANNOUNCE) build $(TOOLS)
	@scripts/need $(TOOLS)
	@scripts/build-llama
	scripts/build-amend bin/amend

models: ## SmolLM2-135M-Instruct into the user's cache
	@scripts/fetch-model

demo: ## the main job on a real model, from nothing
	@$(ANNOUNCE) demo $(TOOLS) pip
	@scripts/need $(TOOLS) pip
	@$(MAKE) --no-print-directory build models ANNOUNCE=:
	@scripts/demo

test: ## all tests, from nothing (make lint has go vet)
	@$(ANNOUNCE) test $(TOOLS) pip
	@scripts/need $(TOOLS) pip
	@$(MAKE) --no-print-directory build models ANNOUNCE=:
	@scripts/build-archs >/dev/null
	@scripts/readers/fetch
	scripts/go test -vet=off -timeout 20m ./...
	@$(MAKE) --no-print-directory test-pure checkapi
	@scripts/check-libraries
	@scripts/check-install

test-pure: ## the packages that promise to work without a C compiler
	CGO_ENABLED=0 scripts/go test -vet=off $$(CGO_ENABLED=0 scripts/go list ./... | grep -v -e '^amend/engine/llama$$' -e '^amend/cmd/')

checkapi: ## the bindings against the pinned llama.h
	scripts/go run ./scripts/checkapi

figures: build ## the testbed model's figures against those that are committed (minutes)
	scripts/go test -vet=off -timeout 60m ./cmd/amend/internal/llamatest -run TestbedFigures -args -testbed.figures

race: build models ## all tests but the longest, which only compare numbers, under the race detector
	@scripts/build-archs >/dev/null
	scripts/go test -race -short -vet=off -timeout 20m ./...

unattached: ## llama.cpp with our patches against itself without: equal logits
	scripts/unattached

lint: build ## gofmt, go vet, golangci-lint, where cgo may be, links of the pages
	@scripts/lint

install: ## what is built into PREFIX (/usr/local), for this machine; DESTDIR stages it
	@PREFIX='$(PREFIX)' DESTDIR='$(DESTDIR)' scripts/install

dist: ## dist/amend-VERSION-OS-ARCH.tar.gz, for other machines of this kind
	@$(ANNOUNCE) dist $(TOOLS)
	@scripts/need $(TOOLS)
	@scripts/build-llama
	@scripts/dist

clean: ## removes what was built here, not the caches
	rm -rf bin lib dist

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1: \2/p' Makefile
