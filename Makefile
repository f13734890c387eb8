# hearth's front door. `make` lists what there is.
.DEFAULT_GOAL := help
.PHONY: help up fault device why settings-check settings-export run backfill backtest test e2e chaos bench fuzz mutants check vuln generate docs dashboards screenshots device-forget functions-forget migrate secrets slack-test images publish pin edge edge-image test-influx2 test-ahead untested

SHELL := bash
.SHELLFLAGS := -o pipefail -c

HEARTH := .bin/hearth
TOOL := go tool -modfile=tools/check/go.mod
FUZZTIME ?= 30s
PLATFORMS ?= linux/amd64,linux/arm64
EDGE_TARGETS := arm64 arm amd64
EDGE_PLATFORMS ?= linux/arm64,linux/arm/v7,linux/amd64

# The setting $1 as one word of the shell, after $2. It is taken from make's command line only: the
# environment may hold a variable of that name for another program, as NAME does under WSL.
setting = $(if $(filter command,$(firstword $(origin $1))),$(if $(value $1),$2"$$$1"))
# The same for a setting that picks what is deleted: an empty one is passed on, and refused. If
# DEVICE="$X" were left out because X is not set, more would be deleted than was meant.
picked = $(if $(filter command,$(firstword $(origin $1))),$2"$$$1")
# Refuses a variable on make's command line that is none of $1: if DRYRUN=1 were ignored, a target
# would do more than was meant.
given = $(foreach v,$(.VARIABLES),$(if $(filter command,$(firstword $(origin $v))),$v))
only = $(foreach v,$(filter-out HEARTH $1,$(given)),$(error make $@ does not know $v: it takes $(or $1,nothing). Another setting of hearth goes before make, as in $v=… make $@))
yes := 1 true yes on
no := 0 false no off

# The flag $2 if $1 is set to yes.
switch = $(if $(filter-out $(no),$($1)),$(if $(filter-out $(yes),$($1)),$(error $1 is "$($1)": write 1 or 0),$2))

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## /{printf "  make %-16s %s\n", $$1, $$2}' Makefile

up: $(HEARTH) ## the whole platform: http://127.0.0.1:8080; MQTT_URL=tcp://my-broker:1883 listens to yours
	@exec $(HEARTH) up

fault: $(HEARTH) ## make a simulated sensor of make up fail, to see its alert: DEVICE=office-air FAULT=over|silent|frozen|broken|off
	@$(call only,DEVICE FAULT)$(HEARTH) fault $(call setting,DEVICE) $(call setting,FAULT)

device: $(HEARTH) ## what is published at TOPIC=home/office/desk (or 'home/#'), and how to map it
	@$(call only,TOPIC)$(HEARTH) device $(call setting,TOPIC)

why: $(HEARTH) ## how far the messages of a device come, and what to do: DEVICE=office-air
	@$(call only,DEVICE)$(HEARTH) why $(call setting,DEVICE)

device-forget: $(HEARTH) ## delete a device from the register: DEVICE=office-air, or several: DEVICE='tele-*' or FROM=tele with DRY_RUN=1 or ALL=1
	@$(call only,DEVICE FROM ALL DRY_RUN)$(HEARTH) device forget $(call picked,DEVICE) $(call picked,FROM,--from=) $(if $(filter command,$(firstword $(origin ALL))),$(call switch,ALL,--all)) $(call switch,DRY_RUN,--dry-run)

settings-export: $(HEARTH) ## what was saved on the page, to paste into hearth.yml
	@$(call only,)$(HEARTH) settings export

settings-check: $(HEARTH) ## every mistake in hearth.yml, with line and column: FILE=other.yml
	@$(call only,FILE)$(HEARTH) settings check $(call setting,FILE)

backtest: $(HEARTH) ## which messages rules would have sent: FROM=2026-10-01 [TO=2026-10-31] [RULES=new.yml]
	@$(call only,RULES FROM TO ALL)$(HEARTH) backtest $(call setting,RULES,--rules=) $(call setting,FROM,--from=) $(call setting,TO,--to=) $(if $(filter command,$(firstword $(origin ALL))),$(call switch,ALL,--all))

run: $(HEARTH) ## fetch from one source now: FUNCTION=weather [DRY_RUN=1]
	@$(call only,FUNCTION DRY_RUN)$(HEARTH) run $(call setting,FUNCTION) $(call switch,DRY_RUN,--dry-run)

backfill: $(HEARTH) ## fetch its past values: FUNCTION=treasuries FROM=2020-01-01 [TO=2024-12-31]
	@$(call only,FUNCTION FROM TO)$(HEARTH) backfill $(call setting,FUNCTION) $(call setting,FROM,--from=) $(call setting,TO,--to=)

test: generate .bin/influxd tools/kasasim/node_modules tools/axe/node_modules ## every test, on real servers; with CI=true none that has a Debian package may be missing
	go test -timeout 25m ./...
	go -C tools/manifests test ./...
	@$(MAKE) --no-print-directory test-ahead untested

untested: # says which tests were skipped because a program without a Debian package is missing
	@grep -rohE --include='*_test.go' 'tool\.Optional\([a-z], "[^"|]+", "[^"|]+"' . | sed -E 's/.*, "(.+)", "(.+)"/\1|\2/' | sort -u | \
	while IFS='|' read -r name what; do command -v "$$name" >/dev/null || echo "not tested: $$what, because $$name is not on the PATH"; done

test-ahead: generate ## the tests that start no server, with the clock set years ahead
	go run ./tools/ahead

e2e: .bin/influxd ## build, run and stop every function as OpenFaaS does
	go test -count=1 -timeout 20m -v ./local/e2e
	@$(MAKE) --no-print-directory untested

chaos: generate .bin/influxd ## kill everything, five rounds of 100,000 readings, then soak make up for an hour, and simulate 20 months of alerts: CHAOS_SEEDS=20 CHAOS_OUTAGE=1m CHAOS_SEED=… CHAOS_SOAK=1h
	go test -count=1 -timeout 3h -v ./local/chaos
	go test -count=1 -timeout 3h -v -run 'AMonth|EachFiring' ./local/alarms ./shared/notify
chaos: export CHAOS_SEEDS ?= 20
chaos: export CHAOS_N ?= 100000
chaos: export CHAOS_ROUNDS ?= 5
chaos: export CHAOS_SPAN ?= 60s
chaos: export CHAOS_OUTAGE ?= 1m
chaos: export CHAOS_SOAK ?= 1h
chaos: export CHAOS_SOAK_STORED ?= 10000000

bench: generate .bin/influxd ## sizes, start, memory, throughput
	go test -count=1 -timeout 20m -v -run TestFunctions ./local/e2e | grep -E 'MB|ready in|FAIL|^ok'
	go test -run '^$$' -bench . -benchmem ./functions/... ./shared/... ./connectors/... ./edge/... | grep -E '^(Benchmark|---|FAIL)'
	go test -count=1 -timeout 20m -run '^$$' -bench . -benchtime 1x ./local/chaos | grep -E '^(Benchmark|---|FAIL)|PATH' # every part a process, beside Telegraf
	for n in 5 50; do HEARTH_BENCH_DEVICES=$$n go test -timeout 3h -run '^$$' -bench Years -benchtime 5x ./shared/store | grep -E '^(Benchmark|---|FAIL)' || exit 1; done # 3 and 30 million readings
	HEARTH_BENCH_READINGS=3000000 go test -v -timeout 2h -run '^$$' -bench Page -benchtime 5x ./shared/page | grep -E '^(Benchmark.*/op|---|FAIL)|PATH' # -v: it says which were skipped

fuzz: ## every fuzz target, FUZZTIME=30s each
	@git grep -oE '^func Fuzz[A-Za-z0-9_]+' -- '*_test.go' | sed -E 's|^(.*)/[^/]*:func (.*)|\1 \2|' | \
	while read dir target; do go test ./$$dir -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 1s || exit 1; done

# Without --test-cpu: gremlins hands it to go test as one word, which fails, and every failure counts as noticed.
mutants: generate ## change the pure packages in small ways and count which changes their tests notice
	@for p in $(MUTANTS); do echo "$$p"; $(TOOL) gremlins unleash --workers 2 --timeout-coefficient 10 -S lc ./$$p || exit 1; done
mutants: MUTANTS ?= shared/quality shared/device shared/ingest shared/alert shared/mapping shared/settings

check: $(HEARTH) ## formatting, vet, staticcheck, vulnerabilities, generated files
	@test -z "$$(gofmt -l $$(git ls-files '*.go') | tee /dev/stderr)"
	go mod tidy -diff
	go vet ./...
	GOOS=darwin GOARCH=arm64 go vet ./... # who works on a Mac runs make up and make test there
	$(TOOL) staticcheck ./...
	@$(MAKE) --no-print-directory vuln
	$(HEARTH) docs --check
	go run ./tools/dashboards --check

vuln: # fails on findings; where its database cannot be reached it says so
	@out=$$($(TOOL) govulncheck ./... 2>&1); code=$$?; case "$$out" in \
	*"fetching vulnerabilities"*) echo "govulncheck skipped: no database";; *) echo "$$out"; exit $$code;; esac

generate: # what is made from stack.yml and not kept in git
	@go generate ./local

docs: $(HEARTH) ## the pages made from the code: settings, commands, READMEs of the functions, schema of hearth.yml
	@$(HEARTH) docs

screenshots: generate ## pictures of the page: of make up with its sample data, which are the README's, in docs; of a sample house in each of its states in build/screenshots
	@mkdir -p build/screenshots
	CI=true HEARTH_SCREENSHOTS=$(CURDIR)/build/screenshots go test -count=1 -run TestScreenshots ./shared/page
	CI=true HEARTH_SCREENSHOTS=$(CURDIR)/docs go test -count=1 -run TestScreenshots ./local

dashboards: ## Grafana's dashboards and alert rules in deploy/grafana, made from the catalogue and hearth.yml
	@go run ./tools/dashboards

functions-forget: $(HEARTH) ## stop showing and watching a function that you removed: NAME=weather
	@$(call only,NAME)$(HEARTH) functions forget $(call picked,NAME)

migrate: $(HEARTH) ## bring PostgreSQL (DATABASE_URL) up to this version, and create InfluxDB's buckets for roll-ups (INFLUX_URL, INFLUX_ADMIN_TOKEN)
	@$(HEARTH) migrate

slack-test: ## send one test message to each configured destination and channel, and say which secret is wrong
	@$(call only,)go run ./tools/slacktest

secrets: ## create the OpenFaaS secrets from .env, empty ones too
	@go run ./tools/secrets

images: ## build the images here, with faas-cli and Docker
	faas-cli build --parallel 2

publish: ## build for PLATFORMS and push to REGISTRY/OWNER
	faas-cli publish --platforms $(PLATFORMS)

# Pinned images, as name:version[@sha256:digest], in the files that use them.
PINNED := edge/Dockerfile connectors/*/Dockerfile template/*/Dockerfile deploy/k3s/*.yaml
CRANE := go run github.com/google/go-containerregistry/cmd/crane@v0.21.9

pin: ## write the digest that the registry has for each base image beside its version
	@grep -hoE '(FROM (--platform=[^ ]+ )?|image: )[a-z0-9./-]+(:[0-9]+)?/?[a-z0-9./-]*:[0-9]+\.[0-9]+\.[0-9]+[a-z0-9.-]*' $(PINNED) | sed -E 's/.* //' | sort -u | while read -r image; do \
	digest=$$($(CRANE) digest "$$image") || exit 1; echo "$$image@$$digest"; \
	sed -i -E "s|$$image(@sha256:[0-9a-f]*)?( \|$$)|$$image@$$digest\2|" $(PINNED) || exit 1; done

edge: $(EDGE_TARGETS:%=.bin/edge/hearth-edge-linux-%) ## static binaries of the edge agent: arm64, arm (v7) and amd64, in .bin/edge/
	@wc -c $^ | awk '$$2 != "total" {printf "%s  %.1f MB\n", $$2, $$1 / 1e6}'

.bin/edge/hearth-edge-linux-%: FORCE
	@CGO_ENABLED=0 GOOS=linux GOARCH=$* GOARM=7 go build -trimpath -ldflags '-s -w' -o $@ ./edge

edge-image: ## build the edge agent's image for EDGE_PLATFORMS and push it to ghcr.io/OWNER
	docker buildx build -f edge/Dockerfile --platform $(EDGE_PLATFORMS) -t ghcr.io/$(OWNER)/hearth-edge:$(or $(TAG),latest) --push .

test-influx2: ## the store's suite on a real InfluxDB 2 with the buckets home, home_5m and home_1h: INFLUX_URL=… INFLUX_TOKEN=…
	@go test -count=1 -v -run /influx2 ./shared/store
test-influx2: export HEARTH_TEST_INFLUX2_URL = $(INFLUX_URL)
test-influx2: export HEARTH_TEST_INFLUX2_TOKEN = $(INFLUX_TOKEN)
test-influx2: export HEARTH_TEST_INFLUX2_ORG = $(or $(INFLUX_ORG),home)
test-influx2: export HEARTH_TEST_INFLUX2_BUCKET = $(or $(INFLUX_BUCKET),home)

$(HEARTH): FORCE generate
	@go build -o $@ ./cmd/hearth

.bin/influxd: tools/influxd/main.go tools/influxd/go.mod
	cd tools/influxd && go build -o ../../.bin/influxd .

# The simulated plugs of another author, and the audit of the page's accessibility; without npm
# their tests are skipped.
tools/%/node_modules: tools/%/package-lock.json
	@! command -v npm >/dev/null || npm ci --silent --prefix tools/$*

FORCE:
