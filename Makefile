# The two that matter: `make up` runs everything on this machine, `make test` tests everything.
SHELL := /bin/bash
CONFIGURATION ?= Release
APPHOST := dotnet run --project Kohakku.AppHost -c $(CONFIGURATION) --no-restore --no-build --

.PHONY: up test build migrate seed login images bench clean

up: build
	@exec $(APPHOST) $(ARGS)

build:
	@eng/prerequisites run
	@dotnet build Kohakku.AppHost -c $(CONFIGURATION) -v quiet --nologo -clp:NoSummary

test:
	@eng/prerequisites test
	dotnet test --solution Kohakku.sln $(ARGS)

# These act on the installation that `make up` runs (or left) in KOHAKKU_DATA.
migrate seed login:
	@$(APPHOST) run controller $@

images:
	@eng/images

bench:
	dotnet run --project Kohakku.Benchmarks -c Release -- $(ARGS)

clean:
	git clean -fdX -e '!.kohakku' -e '!.kohakku/**' -- .
