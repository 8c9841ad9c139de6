# Weir. `make run` and `make test` do everything from nothing; `make help` lists the rest.
VARIANT ?= release
B := build/$(VARIANT)

PKGS_common := jansson libcrypto
PKGS_worker := libuv openssl libsrtp2 usrsctp
PKGS_controller := libuv openssl libwebsockets libpq sqlite3 hiredis zlib libcurl libjwt

ifeq ($(origin CC),default)
CC := gcc
endif
WARN := -Wall -Wextra -Wshadow -Wvla -Wstrict-prototypes -Wmissing-prototypes -Wswitch-enum \
        -Wnull-dereference -Wconversion -Werror
CFLAGS_release := -O3 -g -flto=auto -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE \
                  -fstack-clash-protection -fcf-protection
LDFLAGS_release := -flto=auto -pie -Wl,-z,relro,-z,now -Wl,-z,noexecstack
CFLAGS_debug := -Og -g3
CFLAGS_asan := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
LDFLAGS_asan := -fsanitize=address,undefined
CFLAGS_tsan := -O1 -g -fsanitize=thread
LDFLAGS_tsan := -fsanitize=thread
CFLAGS_cov := -O0 -g --coverage
LDFLAGS_cov := --coverage
CFLAGS_fuzz := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined,fuzzer-no-link \
               -fno-sanitize-recover=all
LDFLAGS_fuzz := -fsanitize=address,undefined,fuzzer
ifeq ($(VARIANT),fuzz)
CC := clang
# clang 14 counts implicit sign changes, and fields that are left out on purpose, which gcc does not;
# gcc is the one that holds the line.
WARN := -Wall -Wextra -Wshadow -Werror -Wno-gnu -Wno-missing-field-initializers -Wno-unused-command-line-argument
endif
AR := $(if $(filter clang,$(CC)),llvm-ar,gcc-ar)

pkg-cflags = $(shell pkg-config --cflags $(1) 2>/dev/null | sed 's/-I/-isystem /g')
pkg-libs = $(shell pkg-config --libs $(1) 2>/dev/null)
SYS_CFLAGS := $(call pkg-cflags,$(PKGS_common) $(PKGS_worker) $(PKGS_controller))
LIBS_worker := $(call pkg-libs,$(PKGS_common) $(PKGS_worker)) -lIPSec_MB -lm
LIBS_controller := $(call pkg-libs,$(PKGS_common) $(PKGS_controller)) -lm -lpthread
ifeq ($(wildcard /usr/include/intel-ipsec-mb.h),)
LIBS_worker := $(filter-out -lIPSec_MB,$(LIBS_worker))
endif

ALL_CFLAGS = -std=c17 -D_GNU_SOURCE -I. $(SYS_CFLAGS) $(WARN) $(CFLAGS_$(VARIANT)) -MMD -MP

# ---- archives, one a folder; who may use whom (`make lint` holds the includes against DESIGN) ----
WORKER_DIRS := worker/engine worker/rtp worker/bwe worker/media worker/io worker/api
CONTROLLER_DIRS := $(filter-out controller/main.c,$(patsubst %/,%,$(wildcard controller/*/)))
ARCHIVE_DIRS := common proto $(WORKER_DIRS) $(CONTROLLER_DIRS) test/lib
srcs = $(filter-out %_test.c,$(wildcard $(1)/*.c))
lib = $(B)/$(subst /,-,$(1)).a
objs = $(patsubst %.c,$(B)/obj/%.o,$(1))

.PHONY: help all run test test-only e2e fmt lint tidy asan ubsan tsan fuzz bench cov install clean deps web docs-gen docs-check
.SECONDARY:
help:
	@echo "make run | test | all | e2e | lint | fmt | tidy | asan | tsan | fuzz | valgrind | bench | cov | interop | docs-gen | install | clean"

all: $(B)/weir $(B)/weir-worker

$(B)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -c $< -o $@

define archive-rule
$(call lib,$(1)): $(call objs,$(call srcs,$(1)))
	@mkdir -p $$(@D)
	@rm -f $$@
	$(AR) rcs $$@ $$^
endef
$(foreach d,$(ARCHIVE_DIRS),$(eval $(call archive-rule,$(d))))

# The migrations of sql/ are built into the program.
build/gen/migrations.inc: tools/embed-sql.awk $(sort $(wildcard sql/*.sql))
	@mkdir -p $(@D)
	awk -f $^ > $@.tmp && mv $@.tmp $@
$(B)/obj/controller/data/migrations.o: build/gen/migrations.inc

DEPS_common := common
DEPS_proto := proto common
DEPS_worker/engine := worker/engine proto common
DEPS_worker/rtp := worker/rtp proto common
DEPS_worker/bwe := worker/bwe worker/rtp proto common
DEPS_worker/media := worker/media worker/engine worker/bwe worker/rtp proto common
DEPS_worker/io := worker/io $(DEPS_worker/media)
DEPS_worker/api := worker/api $(DEPS_worker/io)
DEPS_worker := $(DEPS_worker/api)
DEPS_controller/net := controller/net proto common
DEPS_controller/api := controller/api controller/net proto common
DEPS_controller/account := controller/account controller/api controller/net controller/data proto common
DEPS_controller/events = controller/events $(DEPS_controller/stream)
DEPS_controller/data := controller/data proto common
DEPS_controller/settings := controller/settings common
DEPS_controller/stream := controller/stream controller/room controller/rtc controller/fleet controller/api controller/net controller/data proto common
DEPS_controller/storage := controller/storage proto common
DEPS_controller/fleet := controller/fleet proto common
DEPS_controller/rtc := controller/rtc proto common
DEPS_controller := $(CONTROLLER_DIRS) proto common
deps-of = $(or $(DEPS_$(1)),$(if $(filter controller/%,$(1)),$(1) $(DEPS_controller)),$(error no DEPS for $(1)))
libs-of = -Wl,--start-group $(foreach d,$(call deps-of,$(1)),$(call lib,$(d))) -Wl,--end-group
sys-of = $(if $(filter worker%,$(1)),$(LIBS_worker),$(if $(filter controller%,$(1)),$(LIBS_controller),$(call pkg-libs,$(PKGS_common)) -lm))

$(B)/weir-worker: $(B)/obj/worker/main.o $(foreach d,$(DEPS_worker),$(call lib,$(d)))
	$(CC) $(CFLAGS_$(VARIANT)) $(LDFLAGS_$(VARIANT)) $< $(call libs-of,worker) $(LIBS_worker) -o $@

$(B)/weir: $(call objs,$(wildcard controller/*.c)) $(foreach d,$(DEPS_controller),$(call lib,$(d)))
	$(CC) $(CFLAGS_$(VARIANT)) $(LDFLAGS_$(VARIANT)) $(filter %.o,$^) $(call libs-of,controller) $(LIBS_controller) -o $@

# ---- unit and simulator tests: test/unit mirrors the tree; test/unit/<dir>/x_test.c links what <dir> may use ----
UNIT_TESTS := $(wildcard test/unit/*/*_test.c test/unit/*/*/*_test.c)
SIM_TESTS := $(wildcard test/sim/*_test.c)
INTEGRATION_TESTS := $(wildcard test/integration/*_test.c)
unit-dir = $(patsubst test/unit/%/,%,$(dir $(1)))
# Tests of the object tree talk to it as a peer does; SCTP's run over a simulated link.
unit-lib = $(if $(filter worker/engine worker/media worker/api,$(call unit-dir,$(1))),$(call lib,test/lib))
define unit-rule
$(patsubst %.c,$(B)/%,$(1)): $(B)/obj/$(patsubst %.c,%.o,$(1)) $(call unit-lib,$(1)) $(foreach d,$(call deps-of,$(call unit-dir,$(1))),$(call lib,$(d)))
	@mkdir -p $$(@D)
	$(CC) $(CFLAGS_$(VARIANT)) $(LDFLAGS_$(VARIANT)) $$< $(call unit-lib,$(1)) $(call libs-of,$(call unit-dir,$(1))) $(call sys-of,$(call unit-dir,$(1))) -lcmocka -o $$@
endef
$(foreach t,$(UNIT_TESTS),$(eval $(call unit-rule,$(t))))
# Rooms over real workers.
$(B)/test/unit/controller/room/room_routers_test $(B)/test/unit/controller/room/room_client_test: | $(B)/weir-worker
# The simulator and the integration tests see the whole worker and test/lib.
define sim-rule
$(patsubst %.c,$(B)/%,$(1)): $(B)/obj/$(patsubst %.c,%.o,$(1)) $(call lib,test/lib) $(foreach d,$(DEPS_worker),$(call lib,$(d)))
	@mkdir -p $$(@D)
	$(CC) $(CFLAGS_$(VARIANT)) $(LDFLAGS_$(VARIANT)) $$< $(call lib,test/lib) $(call libs-of,worker) $(LIBS_worker) -lcmocka -o $$@
endef
$(foreach t,$(SIM_TESTS) $(INTEGRATION_TESTS),$(eval $(call sim-rule,$(t))))

# The HTTP server alone, driven by Node (test/integration/http/).
$(B)/http-test-server: $(B)/obj/test/integration/http/server.o $(call lib,controller/net) $(call lib,common)
	$(CC) $(CFLAGS_$(VARIANT)) $(LDFLAGS_$(VARIANT)) $^ $(LIBS_controller) -o $@
http-test-server: $(B)/http-test-server
http-tests: $(B)/http-test-server
	HTTP_TEST_SERVER=$(abspath $<) $(NODE) --test $(wildcard test/integration/http/*.test.mjs)

unit-tests: $(patsubst %.c,$(B)/%,$(UNIT_TESTS))
sim-tests: $(patsubst %.c,$(B)/%,$(SIM_TESTS))
integration-tests: $(patsubst %.c,$(B)/%,$(INTEGRATION_TESTS)) all
# One folder's tests, built and run: make unit/common, make unit/worker/rtp VARIANT=asan
unit/%: FORCE
	@$(MAKE) --no-print-directory $(patsubst %.c,$(B)/%,$(wildcard test/unit/$*/*_test.c))
	@for t in $(patsubst %.c,$(B)/%,$(wildcard test/unit/$*/*_test.c)); do echo "== $$t"; $$t || exit 1; done
FORCE:

# ---- benches: a real worker, release build; BENCH_SECONDS lengthens; BENCH_ARGS="forward 500 webrtc", "memory", "latency", "keyframes", "janus 100", "hls", "chat" choose ----
BENCH_OBJS := $(call objs,$(addprefix test/bench/,figures.c viewers.c viewers_connect.c channel.c sender.c probe.c web_probe.c floor.c forward.c memory.c rooms.c latency.c \
	key_frames.c janus.c janus_process.c janus_viewers.c))
$(B)/test/bench/%: $(B)/obj/test/bench/%.o $(BENCH_OBJS) $(call lib,test/lib) $(foreach d,$(DEPS_worker),$(call lib,$(d)))
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_$(VARIANT)) $(LDFLAGS_$(VARIANT)) $(filter %.o,$^) $(call lib,test/lib) $(call libs-of,worker) $(LIBS_worker) -o $@
# Loaded into the worker to count what it calls.
$(B)/test/bench/counters.so: test/bench/counters_preload.c test/bench/counters.h
	@mkdir -p $(@D)
	$(CC) -std=c17 -D_GNU_SOURCE -I. $(WARN) -O2 -fPIC -shared $< -o $@
bench: $(B)/weir-worker $(B)/test/bench/bench $(B)/test/bench/counters.so $(B)/weir $(B)/test/bench/hls_waiters
	@tools/deps.sh bench || true
	@case "$(BENCH_ARGS)" in hls|chat) ;; *) $(B)/test/bench/bench $(BENCH_ARGS) ;; esac
	@case "$(BENCH_ARGS)" in ''|hls) $(NODE) test/bench/hls.mjs ;; esac
	@case "$(BENCH_ARGS)" in ''|chat) $(NODE) test/bench/chat.mjs ;; esac

$(B)/test/bench/hls_waiters: $(B)/obj/test/bench/hls_waiters.o $(call lib,common)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_$(VARIANT)) $(LDFLAGS_$(VARIANT)) $< $(call lib,common) -ljansson -o $@

# What HLS costs, by mode; BENCH_SECONDS lengthens, BENCH_ARGS="passthrough" chooses.
$(B)/test/bench/hls_sender: $(B)/obj/test/bench/hls_sender.o $(call lib,test/lib) $(foreach d,$(DEPS_worker),$(call lib,$(d)))
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_$(VARIANT)) $(LDFLAGS_$(VARIANT)) $< $(call lib,test/lib) $(call libs-of,worker) $(LIBS_worker) -o $@
bench-hls: $(B)/test/bench/hls_sender $(B)/weir-worker $(B)/weir
	@$(NODE) test/bench/hls_cost.mjs $(BENCH_ARGS)
.PHONY: bench-hls

# ---- fuzzers: test/fuzz/x_fuzz.c, corpus in test/fuzz/corpus/x ----
FUZZERS := $(wildcard test/fuzz/*_fuzz.c)
fuzz-deps = $(if $(findstring worker_,$(1)),worker,$(if $(findstring controller_,$(1)),controller,proto))
# The whole transport with a peer that speaks everything.
fuzz-lib = $(if $(findstring worker_webrtc,$(1)),$(call lib,test/lib))
define fuzz-rule
$(patsubst %.c,$(B)/%,$(1)): $(B)/obj/$(patsubst %.c,%.o,$(1)) $(call fuzz-lib,$(1)) $(foreach d,$(DEPS_$(call fuzz-deps,$(1))),$(call lib,$(d)))
	@mkdir -p $$(@D)
	$(CC) $(CFLAGS_$(VARIANT)) $(LDFLAGS_$(VARIANT)) $$< $(call fuzz-lib,$(1)) $(call libs-of,$(call fuzz-deps,$(1))) $(call sys-of,$(call fuzz-deps,$(1))) -o $$@
endef
$(foreach t,$(FUZZERS),$(eval $(call fuzz-rule,$(t))))
fuzzers: $(patsubst %.c,$(B)/%,$(FUZZERS))

# ---- documentation that is made from the tables in proto/ ----
GENERATED_DOCS := docs/pipe-protocol.md:gen_pipe_docs docs/signaling.md:gen_signaling_docs
DOC_GENERATORS := $(foreach g,$(GENERATED_DOCS),$(B)/$(lastword $(subst :, ,$(g))))
$(DOC_GENERATORS): $(B)/%: $(B)/obj/tools/%.o $(B)/obj/tools/docs_shapes.o $(call lib,proto) $(call lib,common)
	$(CC) $(CFLAGS_$(VARIANT)) $(LDFLAGS_$(VARIANT)) $^ $(call pkg-libs,$(PKGS_common)) -lm -o $@
docs-gen: $(DOC_GENERATORS)
	@for g in $(GENERATED_DOCS); do $(B)/$${g#*:} > $${g%:*}.new && mv $${g%:*}.new $${g%:*} || exit 1; done
docs-check: $(DOC_GENERATORS)
	@for g in $(GENERATED_DOCS); do $(B)/$${g#*:} | cmp -s - $${g%:*} || { echo "$${g%:*} is out of date: run make docs-gen"; exit 1; }; done

# ---- and from the table of configuration keys ----
CONFIG_DOCS := docs/configuration.md:docs deploy/weir.conf.example:example
$(B)/gen_config_docs: $(B)/obj/tools/gen_config_docs.o $(call lib,controller/settings) $(call lib,common)
	$(CC) $(CFLAGS_$(VARIANT)) $(LDFLAGS_$(VARIANT)) $^ $(call pkg-libs,$(PKGS_common)) -lm -o $@
docs-config: $(B)/gen_config_docs
	@for g in $(CONFIG_DOCS); do $< $${g#*:} > $${g%:*}.new && mv $${g%:*}.new $${g%:*} || exit 1; done
docs-config-check: $(B)/gen_config_docs
	@for g in $(CONFIG_DOCS); do $< $${g#*:} | cmp -s - $${g%:*} || { echo "$${g%:*} is out of date: run make docs-config"; exit 1; }; done
docs-gen: docs-config
docs-check: docs-config-check
.PHONY: docs-config docs-config-check

# ---- web ----
NODE := tools/node.sh
WEB_SOURCES := $(shell find web -path web/node_modules -prune -o -path web/dist -prune -o -type f -print 2>/dev/null)
web: web/dist/index.html
web/node_modules/.package-lock.json: web/package-lock.json
	cd web && ../$(NODE) npm ci --silent --no-audit --no-fund
	@touch $@
web/dist/index.html: $(WEB_SOURCES) web/node_modules/.package-lock.json
	cd web && ../$(NODE) npm run build --silent
	@touch $@
test/e2e/node_modules/.package-lock.json: test/e2e/package-lock.json
	cd test/e2e && ../../$(NODE) npm ci --silent --no-audit --no-fund --ignore-scripts
	@touch $@

# ---- the two commands ----
run:
	@tools/deps.sh run
	@$(MAKE) --no-print-directory -s -j$(shell nproc) all web
	@exec $(B)/weir $(WEIR_ARGS)

test:
	@tools/deps.sh test
	@$(MAKE) --no-print-directory -s -j$(shell nproc) all web test/e2e/node_modules/.package-lock.json
	@$(MAKE) --no-print-directory -s -j$(shell nproc) VARIANT=asan unit-tests sim-tests integration-tests http-test-server
	@$(MAKE) --no-print-directory -s -j$(shell nproc) VARIANT=debug $(patsubst %.c,build/debug/%,$(BARE_TESTS) $(VALGRIND_QUICK))
	@$(MAKE) --no-print-directory -s -j$(shell nproc) VARIANT=fuzz fuzzers
	@$(MAKE) --no-print-directory -s test-only

comma := ,
empty :=
space := $(empty) $(empty)
joined = $(subst $(space),$(comma),$(strip $(1)))
NODE_TESTS := $(wildcard test/integration/*/*.test.mjs)
E2E_TESTS := $(wildcard test/e2e/*.test.mjs)
# What was built is run, without building anything; e2e apart, since browsers want the machine to themselves.
test-only:
	@rm -f build/test-logs/totals.jsonl
	@status=0; \
	WEIR_TEST_PART=1 $(NODE) test/run.mjs --jobs $(shell nproc) \
	    tap:$(call joined,$(patsubst %.c,build/asan/%,$(UNIT_TESTS) $(SIM_TESTS) $(INTEGRATION_TESTS)) $(patsubst %.c,build/debug/%,$(BARE_TESTS))) \
	    valgrind:$(call joined,$(patsubst %.c,build/debug/%,$(VALGRIND_QUICK))) \
	    node:$(call joined,$(NODE_TESTS)) npm:web \
	    fuzz:$(call joined,$(patsubst %.c,build/fuzz/%,$(FUZZERS))) || status=1; \
	WEIR_TEST_PART=1 $(NODE) test/run.mjs --jobs 1 node:$(call joined,$(E2E_TESTS)) || status=1; \
	$(NODE) test/total.mjs build/test-logs/totals.jsonl; exit $$status
e2e: all web test/e2e/node_modules/.package-lock.json
	@$(NODE) test/run.mjs --jobs 1 node:$(call joined,$(E2E_TESTS))

# mediasoup's own Node tests, over an adapter that its library starts as its worker; and a small mediasoup application in
# browsers. INTEROP_ARGS goes to jest.
INTEROP := test/interop/mediasoup
$(INTEROP)/node_modules/.package-lock.json: $(INTEROP)/package-lock.json
	cd $(INTEROP) && ../../../$(NODE) npm ci --silent --no-audit --no-fund --ignore-scripts
	@touch $@
interop:
	@tools/deps.sh test
	@$(MAKE) --no-print-directory -s -j$(shell nproc) $(B)/weir-worker $(INTEROP)/node_modules/.package-lock.json
	@status=0; export WEIR_WORKER_BIN=$(abspath $(B)/weir-worker); \
	$(NODE) $(INTEROP)/run.mjs $(INTEROP_ARGS) || status=1; \
	$(NODE) --test $(INTEROP)/app.test.mjs || status=1; exit $$status
.PHONY: interop

# Memory errors and leaks that sanitizers do not see: uninitialised bytes, and what the libraries do. Programs whose point is
# time, or that wait for other services, are left out. VALGRIND_TESTS chooses.
VALGRIND_SLOW := test/integration/pipe_test.c test/sim/bwe_% test/unit/controller/live/% test/unit/controller/data/pg_test.c
# Some count or fail allocations themselves: neither sanitizers nor valgrind let them, so they run without either.
BARE_TESTS := test/unit/worker/api/alloc_test.c test/unit/worker/api/alloc_sweep_test.c
# What `make test` runs under valgrind: seconds.
VALGRIND_QUICK := $(wildcard test/unit/common/*_test.c test/unit/proto/*_test.c test/unit/worker/rtp/*_test.c test/unit/worker/media/*_test.c)
VALGRIND_TESTS ?= $(filter-out $(VALGRIND_SLOW) $(BARE_TESTS),$(UNIT_TESTS) $(SIM_TESTS) $(INTEGRATION_TESTS))
valgrind:
	@tools/deps.sh test
	@$(MAKE) --no-print-directory -s -j$(shell nproc) VARIANT=debug unit-tests sim-tests integration-tests
	@WEIR_TEST_LIMIT_S=1800 $(NODE) test/run.mjs --jobs $(shell nproc) valgrind:$(call joined,$(patsubst %.c,build/debug/%,$(VALGRIND_TESTS)))
.PHONY: valgrind

fmt:
	clang-format -i $(shell git ls-files '*.c' '*.h')
lint:
	@tools/deps.sh lint
	@tools/lint.sh
	@$(MAKE) --no-print-directory -s docs-check
asan ubsan:
	@$(MAKE) --no-print-directory VARIANT=asan all unit-tests
tsan:
	@$(MAKE) --no-print-directory VARIANT=tsan all unit-tests

clean:
	rm -rf build web/dist

-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)
