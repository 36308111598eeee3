# The front door. `make help` lists what it opens; every target says what it lacks and installs it.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:

# One configuration for everything: what is tested and measured is what ships. Without --disable-testable-imports
# `swift test` would compile every module again with other flags, and `swift build` again after it.
build := swift build -c release
test := swift test -c release --disable-testable-imports

.PHONY: help demo serve test test-faults bench bench-events bench-index bench-peers fuzz sanitize record-events lint build prepare clean

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: build ## See it work: real data in, searches, change events, a crash and a recovery
	.build/release/kith demo $(ARGS)

serve: build ## Serve on 127.0.0.1:7040, data in ./kith-data (ARGS="--listen ..." changes it)
	exec .build/release/kith serve $(ARGS)

test: build ## All tests, with a Python client against the built server
	Scripts/install-dependencies.sh test
	Scripts/python-environment.sh
	Benchmarks/environment.sh
	KITH_PYTHON="$(CURDIR)/.build/python/bin/python" \
	    KITH_BENCHMARK_PYTHON="$(CURDIR)/.build/benchmarks/python/bin/python" $(test) $(ARGS)

test-faults: build ## The fault campaign: 200 outages, 200 power losses (KAFKA_HOME names a real broker)
	KITH_FAULT_SCHEDULES="$${KITH_FAULT_SCHEDULES:-200}" $(test) --filter FaultTests $(ARGS)

bench: build ## All benchmarks: a table here, JSON in bench-results/latest.json
	mkdir -p bench-results
	.build/release/kith-bench all --json bench-results/latest.json $(ARGS)

bench-index: build ## The index over real data: kernels, build, recall against speed, churn, filters (ARGS="--sets dictionary")
	Benchmarks/environment.sh
	.build/benchmarks/python/bin/python Benchmarks/run.py index $(ARGS)

bench-peers: build ## The same data through hnswlib, FAISS, USearch and SVS, Kith beside them in the same run
	Benchmarks/environment.sh
	.build/benchmarks/python/bin/python Benchmarks/run.py peers $(ARGS)

bench-events: build ## Change events to the Kafka of KAFKA_HOME: rate, latency, cost; JSON in bench-results/events.json
	mkdir -p bench-results
	.build/release/kith-bench events --json bench-results/events.json $(ARGS)

fuzz: build ## Random input to every parser, KITH_FUZZ_SECONDS each (60)
	KITH_FUZZ_SECONDS="$${KITH_FUZZ_SECONDS:-60}" $(test) --filter Fuzz $(ARGS)

sanitize: prepare ## The unit tests under the thread and the address sanitizer (ARGS="thread KithIndexTests": some of them)
	Scripts/sanitize.sh $(ARGS)

record-events: build ## Record one event of each shape into Tests/Recordings, which later releases must read
	KITH_RECORD_EVENTS=1 $(test) --filter RecordedEventsTests

lint: ## Format, scripts, protos, image, chart and house rules
	Scripts/check-toolchain.sh
	Scripts/install-dependencies.sh lint
	Scripts/lint.sh

build: prepare ## Install what is missing, generate the protos' C++, compile
	$(build)

prepare:
	Scripts/check-toolchain.sh
	Scripts/install-dependencies.sh build
	Scripts/generate-protos.sh

clean: ## Remove what was built (never data)
	rm -rf .build Sources/CGRPCShim/Generated
