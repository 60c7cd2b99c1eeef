# Everyday commands. The build is Meson's (meson.build); each kind of build has its folder in build/.

RELEASE = build/release
DEBUG = build/debug
TSAN = build/tsan
FUZZ = build/fuzz
SERVER = $(RELEASE)/src/keynome-server
# Warnings stop the build here; a packager's plain `meson setup` goes on.
SETUP = meson setup --werror
SANITIZED = -Dtests=true -Dallocator=system -Doptimization=1 -Ddebug=true -Db_ndebug=false \
	-Db_lundef=false
SANITIZED_C = -fno-omit-frame-pointer -fno-sanitize-recover=all

ARGS =
CATALOG = share/bookshop.md
SECONDS = 600

.PHONY: all build run test test-asan test-tsan check debug tsan fuzz-build bench fuzz diff race \
	account docs fmt lint lint-fast clean help

all: build

help:
	@echo "make run        install what is missing, build, serve on 127.0.0.1:6379 (ARGS=... CATALOG=...)"
	@echo "make test       install what is missing, build, run all tests"
	@echo "make check      unit tests and quick lint, under a minute"
	@echo "make debug      build with address and undefined sanitizers (test-asan: all tests with it)"
	@echo "make tsan       build with the thread sanitizer (test-tsan: all tests with it)"
	@echo "make diff race account fuzz    the long runs (SECONDS=$(SECONDS))"
	@echo "make bench      measure against the servers installed here (ARGS=...)"
	@echo "make docs       write docs/commands.md and docs/compatibility.md from the command table"
	@echo "make fmt lint clean"

$(RELEASE)/build.ninja:
	$(SETUP) $(@D) -Doptimization=3 -Ddebug=true -Db_ndebug=true -Db_lto=true
$(DEBUG)/build.ninja:
	$(SETUP) $(@D) $(SANITIZED) -Db_sanitize=address,undefined -Dc_args="$(SANITIZED_C)"
# What the thread sanitizer adds to the code makes gcc guess wrong about uninitialised variables.
$(TSAN)/build.ninja:
	$(SETUP) $(@D) $(SANITIZED) -Db_sanitize=thread \
		-Dc_args="$(SANITIZED_C) -Wno-maybe-uninitialized"
# Every object counts what it runs (fuzzer-no-link); the fuzz targets alone link libFuzzer's main().
$(FUZZ)/build.ninja:
	CC=clang $(SETUP) $(@D) $(SANITIZED) -Db_sanitize=address,undefined -Dtests=false -Dfuzz=true \
		-Dc_args="$(SANITIZED_C) -fsanitize=fuzzer-no-link"

build:
	@tools/deps build
	@$(MAKE) -s $(RELEASE)/build.ninja
	@ninja -C $(RELEASE)

debug tsan:
	@tools/deps build test
	@$(MAKE) -s build/$@/build.ninja
	@ninja -C build/$@

fuzz-build:
	@tools/deps build fuzz
	@$(MAKE) -s $(FUZZ)/build.ninja
	@ninja -C $(FUZZ) fuzz-targets

run: build
	@exec $(SERVER) --bind 127.0.0.1 --port 6379 $(if $(CATALOG),--catalog $(CATALOG)) $(ARGS)

# Unit tests run with assertions and the address sanitizer on, races under the thread sanitizer, and
# everything else against the release build.
test: build debug tsan fuzz-build
	@tools/deps test
	@tools/run-tests --server $(SERVER) --server-for race=$(TSAN)/src/keynome-server \
		--unit $(DEBUG) $(ARGS)

test-asan: debug tsan fuzz-build
	@tools/deps test
	@tools/run-tests --server $(DEBUG)/src/keynome-server \
		--server-for race=$(TSAN)/src/keynome-server --unit $(DEBUG) $(ARGS)

test-tsan: tsan fuzz-build
	@tools/deps test
	@tools/run-tests --server $(TSAN)/src/keynome-server --unit $(TSAN) $(ARGS)

check: debug lint-fast
	@tools/run-tests --unit $(DEBUG) unit

docs: build
	@$(RELEASE)/docs commands > docs/commands.md
	@$(RELEASE)/docs compatibility docs/differences.md > docs/compatibility.md

bench: build
	@tools/deps bench
	bench/run $(ARGS)

fuzz: fuzz-build
	tests/fuzz/run --seconds $(SECONDS) $(ARGS)

diff: build
	@tools/deps test
	tests/diff/run --seconds $(SECONDS) $(ARGS)

account: build
	@tools/deps test
	tests/account/run --seconds $(SECONDS) $(ARGS)

race: tsan
	@tools/deps test
	KEYNOME_SERVER=$(TSAN)/src/keynome-server tests/race/run --seconds $(SECONDS) $(ARGS)

fmt:
	@tools/deps lint
	@tools/c-files | xargs clang-format -i

lint-fast:
	@tools/deps build lint
	@tools/c-files | xargs clang-format --dry-run --Werror
	@tools/layers
	@tools/tidy
	@tools/headers

# clang-tidy reads the debug build's compile commands: no flags in them that clang does not know.
lint: lint-fast
	@tools/deps test
	@$(MAKE) -s $(DEBUG)/build.ninja
	@tools/c-files .c | grep '^src/' | xargs -P 2 -n 4 clang-tidy --quiet -p $(DEBUG)

clean:
	rm -rf build
