# The two that matter: `make up` runs everything on this machine, `make test` tests everything.
SHELL := /bin/bash
CONFIGURATION ?= Release
APPHOST := dotnet Kohakku.AppHost/bin/$(CONFIGURATION)/net10.0/Kohakku.AppHost.dll

.PHONY: up test build migrate seed login images setup compose-up compose-migrate compose-seed compose-login compose-down demo bench clean

up: build
	@exec $(APPHOST) $(ARGS)

build:
	@eng/prerequisites run
	@dotnet build Kohakku.AppHost -c $(CONFIGURATION) -v quiet --nologo -clp:ErrorsOnly

test:
	@eng/prerequisites test
	dotnet test --solution Kohakku.sln $(ARGS)

# These act on the installation that `make up` runs (or left) in KOHAKKU_DATA. They don't build: what runs is in use.
migrate seed login:
	@[ -e $(lastword $(APPHOST)) ] || $(MAKE) --no-print-directory build
	@$(APPHOST) run controller $@

# The sample agents' image, and one per service; BASE_IMAGE=… says what on (eng/service-images).
images:
	@eng/images
	@eng/service-images

# The installation in containers, deploy/compose: setup writes its .env, once. PROFILE=full or small; compose-down ARGS=-v takes its data too.
setup:
	@eng/compose setup

compose-up compose-migrate compose-seed compose-login compose-down:
	@eng/compose $(@:compose-%=%) $(ARGS)

demo:
	@eng/demo

bench:
	dotnet run --project Kohakku.Benchmarks -c Release -- $(ARGS)

# What builds and tests made, by name: nothing else that git ignores (data, editors' settings) is touched.
clean:
	rm -rf */bin */obj artifacts TestResults
