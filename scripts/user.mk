# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The usrpci authors
#
# Everything that runs in user space. A folder of drivers/ is a driver: its main.c,
# or else its program/, makes the program usrpci-<folder>, if it has one; its other files
# are linked to that and to the tests. Each file of examples/ is a program, and so is each test.

SETUP := $(BUILD)/.setup-build
SETUP_TEST := $(BUILD)/.setup-test
SETUP_BENCH := $(BUILD)/.setup-bench

LIBDIR := $(BUILD)/lib
LIB := $(LIBDIR)/libusrpci.a
LIBSO := $(LIBDIR)/libusrpci.so.$(SOVERSION)
USRDRV := $(LIBDIR)/libusrdrv.a
# What libusrpci needs.
LIBS := -ljson-c
USRDRVSO := $(LIBDIR)/libusrdrv.so.$(SOVERSION)

DRIVERS := $(notdir $(patsubst %/main.c,%,$(subst /program/,/, \
	$(wildcard drivers/*/main.c drivers/*/program/main.c))))
program_objs = $(call objs,$(wildcard drivers/$1/main.c drivers/$1/program/*.c))
driver_objs = $(call objs,$(filter-out drivers/$1/main.c,$(wildcard drivers/$1/*.c)))
objs = $(patsubst %.c,$(BUILD)/obj/%.o,$1)

LIB_SOURCES := $(filter-out %_test.c,$(wildcard lib/*.c lib/pager/*.c lib/vfio/*.c lib/vfio-user/*.c lib/backend/*/*.c))
# What module and library share, and whose licence lets them.
LIB_SOURCES += kernel/tlb/check.c kernel/tlb/record.c
LIB_OBJS := $(call objs,$(LIB_SOURCES))
USRDRV_OBJS := $(call objs,$(wildcard lib/usrdrv/*.c))
TOOL_OBJS := $(call objs,$(wildcard tools/*.c))
SIM_SOURCES := $(wildcard sim/*.c sim/devices/*.c sim/devices/*/*.c)
SIM_OBJS := $(call objs,$(SIM_SOURCES))
DRIVER_OBJS := $(foreach d,$(notdir $(wildcard drivers/*)),$(call driver_objs,$d))

# nbdkit's plugin, which is made where nbdkit's header is; the tests bring that along.
NBD := $(BUILD)/nbdkit/nbdkit-usrpci-nvme-plugin.so
NBD_OBJS := $(call objs,$(wildcard drivers/nvme/nbdkit/*.c))
HAS_NBDKIT := $(shell $(CC) -include nbdkit-plugin.h -fsyntax-only -x c /dev/null 2>/dev/null && echo y)

PROGRAMS := $(BUILD)/bin/usrpci $(BUILD)/bin/usrpci-sim $(DRIVERS:%=$(BUILD)/bin/usrpci-%)
EXAMPLES := $(patsubst %.c,$(BUILD)/%,$(wildcard examples/*.c))
TESTS := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/unit/*.c tests/kernel/*.c \
	tests/drivers/*.c tests/tools/*.c tests/campaign/*.c tests/sim/*.c \
	tests/conformance/*_test.c tests/vfio/*.c tests/nbdkit/*.c))
# Each file of bench/group/ is a program, and its folder what doesn't fit into it.
BENCH_GROUPS := $(basename $(notdir $(wildcard bench/group/*.c)))
BENCH_COMMON := $(call objs,$(addprefix bench/,finding.c meter.c result.c rounds.c) \
	$(wildcard bench/rival/*.c))
BENCHES := $(BENCH_GROUPS:%=$(BUILD)/bench/%)
TEST_COMMON := $(call objs,$(wildcard tests/harness/*.c))

$(SETUP): scripts/setup
	@mkdir -p $(@D)
	scripts/setup build
	@touch $@

$(SETUP_TEST): scripts/setup
	@mkdir -p $(@D)
	scripts/setup test
	@touch $@

$(SETUP_BENCH): scripts/setup
	@mkdir -p $(@D)
	scripts/setup bench
	@touch $@

define compile
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(ALL_CFLAGS) $(EXTRA_CFLAGS) -c -o $@ $<
endef

$(BUILD)/obj/%.o: %.c | $(SETUP)
	$(compile)

$(BUILD)/obj/tests/%.o: tests/%.c | $(SETUP) $(SETUP_TEST)
	$(compile)

$(BUILD)/obj/bench/%.o: bench/%.c | $(SETUP) $(SETUP_BENCH)
	$(compile)

$(BUILD)/obj/lib/%.o: EXTRA_CFLAGS = -Iinclude/uapi -Ilib -Ikernel
$(BUILD)/obj/kernel/tlb/%.o: EXTRA_CFLAGS = -Iinclude/uapi
$(BUILD)/obj/tests/harness/%.o: EXTRA_CFLAGS = -Iinclude/uapi -Ilib -Idrivers
$(BUILD)/obj/tests/kernel/%.o: EXTRA_CFLAGS = -Iinclude/uapi -Itests/harness -Idrivers
$(BUILD)/obj/tests/campaign/%.o: EXTRA_CFLAGS = -Iinclude/uapi -Itests/harness -Idrivers
$(BUILD)/obj/tests/unit/%.o: EXTRA_CFLAGS = -Iinclude/uapi -Ilib -Itests/harness -Ikernel
$(BUILD)/obj/tests/drivers/%.o: EXTRA_CFLAGS = -Iinclude/uapi -Itests/harness -Idrivers
$(BUILD)/obj/tests/sim/%.o: EXTRA_CFLAGS = -Isim -Ilib -Idrivers -Itests/harness
$(BUILD)/obj/tests/conformance/%.o: EXTRA_CFLAGS = -Itests/harness -Idrivers
$(BUILD)/obj/tests/vfio/%.o: EXTRA_CFLAGS = -Iinclude/uapi -Itests/harness
$(BUILD)/obj/tests/tools/%.o: EXTRA_CFLAGS = -Itools
$(BUILD)/obj/tools/%.o: EXTRA_CFLAGS = -DUSRPCI_VERSION=\"$(VERSION)\"
$(BUILD)/obj/sim/%.o: EXTRA_CFLAGS = -Isim -Ilib -Idrivers
$(BUILD)/obj/drivers/%.o: EXTRA_CFLAGS = -Idrivers
$(BUILD)/obj/drivers/nvme/nbdkit/%.o: EXTRA_CFLAGS = -Idrivers -DUSRPCI_VERSION=\"$(VERSION)\"
$(BUILD)/obj/bench/%.o: EXTRA_CFLAGS = -Idrivers
$(BUILD)/obj/examples/%.o: EXTRA_CFLAGS = -Idrivers

# What tells valgrind of DMA needs its headers, which come with the tests' packages.
$(BUILD)/obj/lib/backend/vfio-user/serve.o: \
	$(if $(filter check tests,$(MAKECMDGOALS)),$(SETUP_TEST),$(wildcard $(SETUP_TEST)))

$(LIB): $(LIB_OBJS)
$(USRDRV): $(USRDRV_OBJS)
%.a:
	@mkdir -p $(@D)
	$(call say,AR,$@)
	@rm -f $@
	$(Q)$(AR) rcs $@ $^

$(LIBSO): $(LIB_OBJS) lib/libusrpci.map
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) -shared -Wl,-soname,$(@F) -Wl,--version-script=lib/libusrpci.map \
		-Wl,--no-undefined -o $@ $(LIB_OBJS) $(LDFLAGS) $(LIBS)
	@ln -sf $(@F) $(LIBDIR)/libusrpci.so

$(USRDRVSO): $(USRDRV_OBJS) $(LIBSO) lib/usrdrv/libusrdrv.map
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) -shared -Wl,-soname,$(@F) -Wl,--version-script=lib/usrdrv/libusrdrv.map \
		-Wl,--no-undefined -o $@ $(USRDRV_OBJS) -L$(LIBDIR) -lusrpci $(LDFLAGS)
	@ln -sf $(@F) $(LIBDIR)/libusrdrv.so

# Programs carry the library in them, so that each can be copied anywhere.
define link
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(LDFLAGS) $1 $(LIBS)
endef

$(BUILD)/bin/usrpci: $(TOOL_OBJS) $(LIB)
	$(call link,-lpci)

$(BUILD)/bin/usrpci-sim: $(SIM_OBJS) $(LIB)
	$(call link)

define driver_program
$(BUILD)/bin/usrpci-$1: $(call program_objs,$1) $(call driver_objs,$1) $(LIB)
	$$(call link)
endef
$(foreach d,$(DRIVERS),$(eval $(call driver_program,$d)))

$(NBD_OBJS): $(if $(HAS_NBDKIT),,$(SETUP_TEST))

# It carries the library, as the programs do.
$(NBD): $(NBD_OBJS) $(call driver_objs,nvme) $(LIB)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) -shared -Wl,--exclude-libs,ALL -o $@ $(filter %.o,$^) $(filter %.a,$^) $(LDFLAGS) \
		$(LIBS) -lpthread

$(BUILD)/examples/%: $(BUILD)/obj/examples/%.o $(LIB) $(USRDRV)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) -o $@ $(filter %.o,$^) $(USRDRV) $(LIB) $(LDFLAGS) $(LIBS)

# One that uses a driver.
$(BUILD)/examples/pointer_chase: $(call driver_objs,htex)

define bench_group
$(BUILD)/bench/$1: $(call objs,bench/group/$1.c $(wildcard bench/group/$1/*.c)) \
		$(BENCH_COMMON) $(DRIVER_OBJS) $(LIB)
	$$(call link,-lm $$(if $$(filter nvme,$1),-luring))
endef
$(foreach g,$(BENCH_GROUPS),$(eval $(call bench_group,$g)))

BENCH_REPORT := $(BUILD)/bench/report
$(BENCH_REPORT): $(call objs,$(wildcard bench/*.c))
	$(call link,-lm)

$(BUILD)/tests/tools/%: $(BUILD)/obj/tests/tools/%.o $(filter-out %/main.o,$(TOOL_OBJS)) $(LIB)
	$(call link,-lcmocka -lpci)

$(BUILD)/tests/sim/%: $(BUILD)/obj/tests/sim/%.o $(TEST_COMMON) $(filter-out %/main.o,$(SIM_OBJS)) \
		$(DRIVER_OBJS) $(USRDRV) $(LIB)
	$(call link,-lcmocka -lpthread)

$(BUILD)/tests/nbdkit/%: $(BUILD)/obj/tests/nbdkit/%.o
	$(call link,-lcmocka -lnbd)

$(BUILD)/tests/%: $(BUILD)/obj/tests/%.o $(TEST_COMMON) $(DRIVER_OBJS) $(USRDRV) $(LIB)
	$(call link,-lcmocka -lpthread)

$(filter $(BUILD)/tests/conformance/%,$(TESTS)): $(BUILD)/obj/tests/conformance/rig.o

# A campaign's folder holds what doesn't fit into its file.
CAMPAIGNS := $(basename $(notdir $(wildcard tests/campaign/*.c)))
$(foreach c,$(CAMPAIGNS),$(eval \
	$(BUILD)/tests/campaign/$c: $(call objs,$(wildcard tests/campaign/$c/*.c))))

user: $(LIB) $(LIBSO) $(USRDRV) $(USRDRVSO) $(PROGRAMS) $(EXAMPLES) $(if $(HAS_NBDKIT),$(NBD))
tests: $(TESTS) $(NBD)
benches: $(BENCHES) $(BENCH_REPORT)
# How fast it is; ends with 1 if a goal is missed.
bench:
	bench/run
$(BENCH_GROUPS:%=bench-%): bench-%:
	bench/run $*
.PHONY: tests benches bench $(BENCH_GROUPS:%=bench-%)

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
