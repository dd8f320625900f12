# All that developing secretstore takes, with Go and Make alone: "make help" lists it. CONTRIBUTING.md explains it.

GO ?= go
# What "make generate" writes; "make verify" fails if writing it again changes anything.
GENERATED := api charts/secretstore/crds charts/secretstore/files docs/reference
# Each is a module of its own, so that the versions of tools and of the product need not fit each other.
MODULES := . tools tools/controlplane tools/generate tools/kwok tools/lint
# The race detector needs a C compiler; without one the tests run without it.
RACE := $(if $(filter 1,$(shell $(GO) env CGO_ENABLED)),-race)
# -count=1: programs that a test builds and runs are no inputs that the cache of test results knows of.
# "go test", with one line for each package, the output of what failed, and a count in the end.
TEST := $(GO) -C tools run ./testsummary $(CURDIR)
CRDS := $(CURDIR)/charts/secretstore/crds

.PHONY: help build generate verify lint fmt test test-node test-long demo demo-migration bench bench-scale bench-code vulncheck controlplane clean
.PHONY: verify-modules verify-generated verify-format

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## build the programs into bin/
	@$(GO) -C tools run ./build programs

# The SecretProviderClass belongs to the Secrets Store CSI driver. Its definition is generated from the types of the very
# version that the code is compiled with; the driver's other kind, which describes its pods, is left to the driver.
generate: ## regenerate deep copies, definitions, roles and the API reference
	@$(GO) -C tools run ./build generate
	bin/generate/controller-gen object paths=./api/...
	bin/generate/controller-gen crd paths=./api/... output:dir=$(CRDS)
	@rm -rf bin/generate/driver && mkdir -p bin/generate/driver
	bin/generate/controller-gen crd paths=sigs.k8s.io/secrets-store-csi-driver/apis/v1 output:dir=bin/generate/driver
	cp bin/generate/driver/secrets-store.csi.x-k8s.io_secretproviderclasses.yaml $(CRDS)/
	bin/generate/controller-gen rbac:roleName=secretstore-controller paths=./internal/controller/... output:dir=charts/secretstore/files
	$(GO) -C tools run ./reference $(CURDIR)/docs/reference $(CRDS)/secret-sync.*.yaml
	$(GO) -C tools run ./coverage $(CURDIR) $(CURDIR)/docs/reference/coverage.md
	$(GO) run ./cmd/kubectl-secretstore migrate explain -o markdown > docs/reference/findings.md

verify: verify-modules verify-generated verify-format lint ## check that generated files, modules, format and style are in order

verify-modules:
	@for m in $(MODULES); do \
	  echo "verifying module $$m"; $(GO) -C $$m mod verify || exit 1; \
	  untidy=$$($(GO) -C $$m mod tidy -diff 2>&1) || { printf '%s\n' "$$untidy" | grep -v '^go: downloading' | head -40; \
	    echo "verify: $$m is not tidy: \"go -C $$m mod tidy\" makes it so" >&2; exit 1; }; \
	done

# Compares the files before and after, not with the last commit, so that it means the same in a working tree and in CI.
verify-generated:
	@rm -rf bin/before && mkdir -p bin/before && tar cf - $(wildcard $(GENERATED)) | tar xf - -C bin/before
	@$(MAKE) --no-print-directory generate
	@for d in $(GENERATED); do diff -ru bin/before/$$d $$d || \
	  { echo 'verify: generated files were not current; "make generate" has just written them: commit them' >&2; exit 1; }; done

# gofmt for all modules; the linter's stricter formatter looks at those that it lints.
verify-format:
	@unformatted=$$(gofmt -l $(wildcard api cmd internal test tools)); [ -z "$$unformatted" ] || \
	  { echo "verify: not formatted (\"make fmt\" does it):" $$unformatted >&2; exit 1; }
	$(GO) vet -tags long,node ./... && $(GO) -C tools vet ./...

lint: ## run the linter that .golangci.yml configures
	@$(GO) -C tools run ./build lint
	bin/lint/golangci-lint run ./...
	cd tools && ../bin/lint/golangci-lint run --config ../.golangci.yml ./...

fmt: ## format the code
	@$(GO) -C tools run ./build lint
	bin/lint/golangci-lint fmt ./...
	cd tools && ../bin/lint/golangci-lint fmt --config ../.golangci.yml ./...

controlplane: ## build what to test against: kwok, and, unless KUBEBUILDER_ASSETS names a folder with them, etcd, kube-apiserver and the like
	@$(GO) -C tools run ./build controlplane kwok

test: controlplane ## run the tests, those against a real API server too
	@$(GO) -C tools test ./...
	@$(TEST) -count=1 $(RACE) ./...

test-long: controlplane ## run the tests and those that take up to an hour, or need Node.js or Python (for the Azure CLI)
	@$(TEST) -count=1 $(RACE) -tags long,node -timeout 90m ./...

test-node: ## check the emulator against Azure's JavaScript SDK; needs Node.js 20 or newer with npm
	@$(TEST) -tags node ./test/conformance

demo: controlplane build ## show the whole way from a vault to a Secret on this machine; KEEP=1 leaves it running to be tried
	@exec bin/demo

demo-migration: controlplane build ## show a shop of workloads being moved from the CSI driver, on this machine; KEEP=1 leaves it running to be tried
	@exec bin/demo-migration

# What a variable on make's command line says reaches the program by its environment.
bench: controlplane build ## measure requests, time, CPU and memory beside the least they could be; N=500 RUNS=3 SHAPES=A,B OUT=FILE CHECK=1
	@exec bin/bench

bench-scale: controlplane build ## measure the steady state of many SecretSyncs; N=10000 NAMESPACES=100 VAULTS=5 INTERVAL=600 WINDOW=600
	@exec bin/bench scale

# -run '^$$' runs no test. Packages are looked for by name, so that those without a benchmark are not built.
bench-code: controlplane ## run the benchmarks of single functions
	@packages=$$(grep -rl --include='*_test.go' '^func Benchmark' api cmd internal test | xargs -r -n1 dirname | sort -u | sed 's,^,./,'); \
	[ -n "$$packages" ] || { echo 'bench-code: no package has a benchmark'; exit 0; }; \
	$(GO) test -run '^$$' -bench . -benchmem $$packages

vulncheck: ## look dependencies up in Go's vulnerability database, which must be reachable; not part of verify
	$(GO) run golang.org/x/vuln/cmd/govulncheck@v1.9.0 ./...

clean: ## remove what was built; Go's own caches stay
	rm -rf bin dist
