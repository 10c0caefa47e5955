# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The usrpci authors
#
# Fuzzers: each tests/fuzz/NAME.c with a corpus/NAME is one, of libFuzzer; the library and the
# simulator are built for it once more, with sanitizers. FUZZ_SECONDS: how long each runs.

SETUP_FUZZ := $(BUILD)/.setup-fuzz
FUZZ_SECONDS ?= 60
FUZZ_CC ?= clang
FUZZ_FLAGS := -std=gnu11 -D_GNU_SOURCE -O1 -g -MMD -MP $(WARN) -Iinclude -Isim -Ilib -Idrivers \
	-fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined \
	-fno-sanitize-recover=undefined
FUZZERS := $(notdir $(wildcard tests/fuzz/corpus/*))
FUZZ_COMMON := tests/fuzz/fuzz.c tests/fuzz/stream.c tests/fuzz/program.c
FUZZ_SOURCES := $(FUZZ_COMMON) $(LIB_SOURCES) $(filter-out sim/main.c,$(SIM_SOURCES))
fuzz_objs = $(patsubst %.c,$(BUILD)/fuzz/obj/%.o,$1)

.PHONY: fuzz fuzzers

fuzz: fuzzers
	scripts/fuzz --each $(FUZZ_SECONDS)

fuzzers: $(FUZZERS:%=$(BUILD)/fuzz/%)

$(SETUP_FUZZ): scripts/setup
	@mkdir -p $(@D)
	scripts/setup build fuzz
	@touch $@

$(BUILD)/fuzz/obj/%.o: %.c | $(SETUP_FUZZ)
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(FUZZ_CC) $(FUZZ_FLAGS) $(FUZZ_EXTRA) -c -o $@ $<

$(BUILD)/fuzz/obj/lib/%.o: FUZZ_EXTRA = -Iinclude/uapi -Ikernel
$(BUILD)/fuzz/obj/kernel/%.o: FUZZ_EXTRA = -Iinclude/uapi

$(BUILD)/fuzz/%: $(BUILD)/fuzz/obj/tests/fuzz/%.o $(call fuzz_objs,$(FUZZ_SOURCES))
	$(call say,LD,$@)
	$(Q)$(FUZZ_CC) -fsanitize=fuzzer,address,undefined -o $@ $^ $(LIBS) -lpthread

# What made corpus/{server,client,message}: record tests/fuzz/corpus
$(BUILD)/fuzz/record: $(BUILD)/fuzz/obj/tests/fuzz/record.o $(call fuzz_objs,$(FUZZ_SOURCES))
	$(call say,LD,$@)
	$(Q)$(FUZZ_CC) -fsanitize=address,undefined -o $@ $^ $(LIBS) -lpthread

-include $(shell find $(BUILD)/fuzz/obj -name '*.d' 2>/dev/null)
