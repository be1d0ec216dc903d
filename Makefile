# An index of verbs: each says what it does, and none is a program.
.DEFAULT_GOAL := help
.PHONY: help run demo demo-run demo-refund load build test check fmt lint doc tidy docs docs-check
.PHONY: images image-binaries up down logs ship native e2e walks soak sim mutants bench alerts
.PHONY: clean-data
SEEDS ?= 1000
VERSION ?= 0.1.0

help: ## Show this list
	@awk -F ':.* ## ' '/^[a-z0-9-]+:.* ## / { printf "%-12s %s\n", $$1, $$2 }' Makefile

run: ## Run everything on this machine: three services, broker, databases under ./data
	cargo run --package oms -- run $(ARGS)

demo: ## Play every scenario in a scratch folder on free ports; exit 0 when all held
	cargo run --package oms -- demo

demo-run: ## Play the scenario of a successful order in the system that runs
	cargo run --package oms -- demo run

demo-refund: ## Play the scenario of a partial refund in the system that runs
	cargo run --package oms -- demo refund

load: ## Send 100 orders through the system that runs; money and stock must agree afterwards
	cargo run --package oms -- load $(ARGS)

images: ## Build the container image oms:VERSION
	docker build --file deploy/image/Dockerfile --tag oms:$(VERSION) \
		--build-arg VERSION=$(VERSION) --build-arg REVISION=$$(git rev-parse HEAD) .

image-binaries: ## Build what the image holds into target/image, and try it
	deploy/image/build.sh all target/image
	cargo xtask ship --image target/image

up: ## Start everything in containers and wait until it is well; ARGS= goes to docker compose
	docker compose up --detach --wait $(ARGS)

down: ## End the containers; their data stays (ARGS=--volumes deletes it)
	docker compose down $(ARGS)

logs: ## Follow the logs of the containers; ARGS=oms shows each saga as it goes
	docker compose logs --follow $(ARGS)

build: ## Compile every crate and test
	cargo build --workspace --all-targets

test: ## Run all tests that need no installed server
	cargo test --workspace

check: fmt lint doc test alerts ship native e2e walks ## Everything CI runs, tidy included

e2e: build ## Play suites and stories on real Kafka and PostgreSQL: three separate processes
	$${CARGO_TARGET_DIR:-target}/debug/xtask e2e $(E2E)

walks: build ## Play README, quickstart, API and client examples as printed; WALKS= names some
	$${CARGO_TARGET_DIR:-target}/debug/xtask walks $(WALKS)

ship: build ## Check image, compose file and chart: schemas, rules, settings
	$${CARGO_TARGET_DIR:-target}/debug/xtask ship
	deploy/image/build.sh licences

native: build ## Run what the chart runs, here, and replace every service under load
	$${CARGO_TARGET_DIR:-target}/debug/xtask ship --native

soak: build ## Play the stories at full length: a broker away for a minute, a storm of five
	$${CARGO_TARGET_DIR:-target}/debug/xtask e2e --full

fmt: ## Check the format (to apply it: cargo fmt --all)
	cargo fmt --all --check

lint: ## Run clippy; a warning is an error
	cargo clippy --workspace --all-targets -- --deny warnings

doc: ## Build the rustdoc pages; a warning is an error
	RUSTDOCFLAGS="--deny warnings" cargo doc --workspace --no-deps

tidy: ## Check the house rules no compiler checks
	cargo xtask tidy

docs: ## Write docs/events.md and docs/states.md from the code
	cargo xtask docs

docs-check: ## Check that the generated pages are current
	cargo xtask docs --check

sim: ## Simulate SEEDS=1000 random worlds, optimised, and check the invariants of each
	cargo run --release --package oms-sim -- --seeds $(SEEDS)

mutants: ## Plant known mistakes in a scratch copy and let the simulator find each of them
	cargo xtask mutants

bench: ## Measure throughput and latency of the embedded arrangement, optimised
	cargo build --release --package oms && cargo bench --package oms-e2e --bench saga --bench traces

alerts: ## Let promtool check the Prometheus configuration and test the alerts
	cargo xtask alerts

clean-data: ## Delete the databases of `make run`
	rm -rf data
