# What to do with this repository. `make` alone lists it.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DEFAULT_GOAL := help

tools := .build/tools/bin
typos := .build/tools/typos/bin/typos
compose ?= docker compose

# Warnings stop the checks, and only there: a newer compiler must not break somebody's build. Given to clippy and
# rustdoc as arguments instead of RUSTFLAGS, so that checks, tests and builds share what they compile.
deny := -D warnings

# With TLS and SASL towards Kafka, which take the headers of OpenSSL and libcurl (scripts/test-setup gets them). What
# is tested and shipped has them; `make run` does without, so that a first start needs no packages.
secured := --features sluice/kafka-security

.PHONY: help run demo build console page screenshots test guard faults cluster check fmt clippy doc headers deny machete typos house manifests fix docs bench fuzz load console-cost compare up down

help: ## List the targets
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 10

run: ## Build and start Sluice on this machine alone (ARGS="--config sluice.yaml")
	@cargo run --release --locked --package sluice -- standalone $(ARGS)

demo: ## The same, with a small made-up fleet that sends to it (ARGS="--hosts 100")
	@cargo build --release --locked --package sluice
	scripts/demo $(ARGS)

build: ## Build the release binary, target/release/sluice
	@cargo build --release --locked --package sluice

console: ## Build the console's page into crates/console/assets
	@scripts/test-setup web
	node crates/console/web/build.mjs

screenshots: ## Make the pictures of docs/images from a standalone with the demo's load
	@scripts/test-setup web chromium
	cargo build --release --locked --package sluice
	scripts/screenshots

test: ## Fetch what the tests need, and run all of them
	@scripts/test-setup
	# The end-to-end tests run the binary that users run; `guard` is beside it, so that both share what they compile.
	cargo build --release --locked --package sluice --package guard --package faults $(secured)
	# The one that was built just now: alone it would be built with other features of what it shares, and so again.
	TEST_SLUICE_BINARY="$$PWD/target/release/sluice" cargo test --workspace --locked --no-fail-fast $(secured)
	target/release/guard
	target/release/faults --quick

guard: ## Compare what a sample costs with what was accepted (ARGS=--accept accepts it)
	@scripts/test-setup valgrind headers
	cargo build --release --locked --package sluice --package guard $(secured)
	target/release/guard $(ARGS)

faults: ## Break every part under load and account for every sample (ARGS="list", ARGS="kill", FAULT_ROUNDS=100)
	@scripts/test-setup kafka prometheus victoria-metrics haproxy headers
	cargo build --release --locked --package sluice --package faults $(secured)
	target/release/faults $(ARGS)

cluster: ## Restart, add and remove every part of a cluster under load, and print who handled what
	@scripts/test-setup kafka victoria-metrics haproxy headers
	cargo build --release --locked --package sluice --package faults $(secured)
	target/release/faults scale $(ARGS)

check: fmt typos house page clippy doc machete deny manifests ## Everything that must hold before the tests run

fmt:
	@cargo fmt --all --check

# The same features as the tests, so that both share what they compile.
clippy: headers
	@cargo clippy --workspace --all-targets --locked --quiet $(secured) -- $(deny)

doc: headers
	@RUSTDOCFLAGS="$(deny)" cargo doc --workspace --no-deps --document-private-items --locked --quiet $(secured)

deny: .build/tools/.installed
	@$(tools)/cargo-deny --locked check --hide-inclusion-graph bans licenses sources

headers:
	@scripts/test-setup headers

machete: .build/tools/.installed
	@$(tools)/cargo-machete --skip-target-dir .

typos: .build/tools/.installed
	@$(typos)

house:
	@cargo test --locked --quiet --package testkit --test house
	# A workspace of its own, whose lock file nobody else would miss.
	cargo fetch --locked --quiet --manifest-path crates/hostile/fuzz/Cargo.toml

# The page is type-checked, its parts are tested, and what is committed is what its sources make.
page:
	@scripts/test-setup web
	cd crates/console/web
	node_modules/.bin/tsc --noEmit
	node test.mjs
	node build.mjs --check

# What is shipped beside the binary: overlays by kustomize and schemas, settings by `sluice check-config`, rules by promtool.
# With the workspace's features, so that the tests after it find it built.
manifests: headers
	@cargo test --locked --quiet --workspace $(secured) --test deploy

fix: .build/tools/.installed ## Repair what can be repaired by a program
	@cargo fmt --all
	cargo clippy --workspace --all-targets --locked --fix --allow-dirty --allow-staged
	$(typos) --write-changes

docs: ## Write the generated parts of the documents anew
	@UPDATE_DOCS=1 cargo test --locked --quiet --package sluice --test docs
	UPDATE_DOCS=1 cargo test --locked --quiet --package gateway --lib

bench: ## Measure decoding, grouping and encoding
	@cargo bench --locked --package codec

fuzz: ## Give what reads bytes from outside evolving bytes, ten minutes each (ARGS="60 json" for one minute of one)
	@scripts/fuzz $(ARGS)

load: ## Measure what a sample costs in every scenario, about ten minutes (ARGS="--only 'json-*'")
	@scripts/test-setup kafka
	# As what is shipped is built: with link-time optimisation.
	cargo build --profile dist --locked --package sluice --package loadtest
	target/dist/loadtest suite $(ARGS)

console-cost: ## Measure what an open console costs at 100,000 samples/s, two minutes (ARGS="ROUNDS REQUESTS_PER_SECOND SECONDS")
	cargo build --profile dist --locked --package sluice --package loadtest
	loadtest/console-cost.sh $(ARGS)

compare: ## Measure Sluice beside the alternatives, on the same bodies and broker (ARGS="--help")
	@scripts/test-setup kafka
	scripts/peers
	cargo build --profile dist --locked --package sluice --package loadtest
	target/dist/loadtest compare $(ARGS)

up: ## Start Kafka, two gateways, a load balancer, a consumer and VictoriaMetrics in containers
	@$(compose) up --build --detach --wait

down: ## Stop them and remove their data
	@$(compose) down --volumes

.build/tools/.installed: scripts/install-tools
	@scripts/install-tools
	touch $@
