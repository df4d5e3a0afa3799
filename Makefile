# The two that matter: `make up` runs everything on this machine, `make test` tests everything.
SHELL := /bin/bash
CONFIGURATION ?= Release
APPHOST := dotnet Kohakku.AppHost/bin/$(CONFIGURATION)/net10.0/Kohakku.AppHost.dll

.PHONY: up test build migrate seed login reconcile backup restore images setup compose-up compose-migrate compose-seed compose-login compose-down compose-backup compose-restore demo bench clean

up: build
	@exec $(APPHOST) $(ARGS)

# Without the analyzers: what they find is for whoever changes the sources, and `make test` asks them.
build:
	@eng/prerequisites run
	@dotnet build Kohakku.AppHost -c $(CONFIGURATION) -p:RunAnalyzers=false -v quiet --nologo -clp:ErrorsOnly

test:
	@eng/prerequisites test
	dotnet test --solution Kohakku.sln $(ARGS)

# These act on the installation that `make up` runs (or left) in KOHAKKU_DATA. They don't build: what runs is in use.
migrate seed login reconcile:
	@[ -e $(lastword $(APPHOST)) ] || $(MAKE) --no-print-directory build
	@$(APPHOST) run controller $@

# TO and FROM are folders of backups: docs/backup.md. ARGS are --keep N, and --name NAME.
backup:
	@[ -e $(lastword $(APPHOST)) ] || $(MAKE) --no-print-directory build
	@CONFIGURATION=$(CONFIGURATION) eng/backup "$(TO)" $(ARGS)

restore: build
	@CONFIGURATION=$(CONFIGURATION) eng/restore "$(FROM)" $(ARGS)

# The sample agents' image, and one per service; BASE_IMAGE=… says what on (eng/service-images).
images:
	@eng/images
	@eng/service-images

# The installation in containers, deploy/compose: setup writes its .env, once. PROFILE=full or small; compose-down ARGS=-v takes its data too.
setup:
	@eng/compose setup

compose-up compose-migrate compose-seed compose-login compose-down:
	@eng/compose $(@:compose-%=%) $(ARGS)

compose-backup:
	@eng/compose backup "$(TO)" $(ARGS)

compose-restore:
	@eng/compose restore "$(FROM)" $(ARGS)

demo:
	@eng/demo

bench:
	dotnet run --project Kohakku.Benchmarks -c Release -- $(ARGS)

# What builds and tests made, by name: nothing else that git ignores (data, editors' settings) is touched.
clean:
	rm -rf */bin */obj artifacts TestResults
