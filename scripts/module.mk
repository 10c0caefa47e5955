# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The usrpci authors
#
# usrpci.ko, once for each kernel that vm/run boots: build/module/<kernel>/.
# `make module` makes the one for the stock kernel; with KDIR=… for any other, in
# build/module/custom/.
#
# `make module-debug GCOV=y` makes one that counts its lines, in build/module/debug-gcov/;
# scripts/coverage adds them up. `make module FAULT=y` makes one whose calls can be made to
# fail, by kernel/fault, in build/module/stock-fault/.

MODULE_SRC := $(shell find kernel include/uapi -type f)
module_kdir = $(if $(filter custom,$1),$(KDIR),$$(scripts/kernel $1 headers))

module: module-$(if $(KDIR),custom,stock)

module_kind := $(if $(GCOV),-gcov)$(if $(FAULT),-fault)
$(addprefix module-,$(KERNELS) custom): module-%: $(BUILD)/module/%$(module_kind)/usrpci.ko
$(BUILD)/module/%-gcov/usrpci.ko: MODULE_FLAGS += GCOV_PROFILE=y
$(BUILD)/module/%-fault/usrpci.ko: override MODULE_FLAGS += USRPCI_FAULT=y

# Without its vmlinux, which headers don't have, a kernel's build would say that it makes no BTF.
without_btf = $$([ -e "$$(cat $1)/vmlinux" ] || echo CONFIG_DEBUG_INFO_BTF_MODULES=)

# The kernel's build writes beside its sources, so it gets a copy of them.
$(BUILD)/module/%/usrpci.ko: $(BUILD)/module/%/kdir $(MODULE_SRC)
	@cp -pRu kernel include $(@D)/
	$(call say,MAKE,$@)
	$(Q)$(MAKE) $(if $(V),,-s --no-print-directory) -C "$$(cat $<)" \
		M=$(abspath $(@D))/kernel W=1 $(call without_btf,$<) $(MODULE_FLAGS) modules
	@cp -p $(@D)/kernel/usrpci.ko $@

# Which kernel the folder is for: for another one all is built again.
$(BUILD)/module/%/kdir: FORCE
	@mkdir -p $(@D)
	@dir=$$(realpath -e $(call module_kdir,$(patsubst %-gcov,%,$(*:-fault=)))) || \
		{ echo "usrpci: no kernel headers in" \
		"$(KDIR); install linux-headers-$$(uname -r), or leave the module out: MODULE=no"; \
		exit 1; } >&2; \
	[ "$$dir" = "$$(cat $@ 2>/dev/null)" ] || { rm -rf $(@D)/kernel $(@D)/bench; echo "$$dir" >$@; }

# What the benchmarks compare it to, in the same folder.
BENCH_MODULE_SRC := $(wildcard bench/module/*) drivers/htex/registers.h

$(addprefix bench-module-,$(KERNELS)): bench-module-%: $(BUILD)/module/%/usrpci-bench.ko
$(BUILD)/module/%/usrpci-bench.ko: $(BUILD)/module/%/kdir $(BENCH_MODULE_SRC)
	@cp -pu --parents $(BENCH_MODULE_SRC) $(@D)/
	$(call say,MAKE,$@)
	$(Q)$(MAKE) $(if $(V),,-s --no-print-directory) -C "$$(cat $<)" \
		M=$(abspath $(@D))/bench/module W=1 $(call without_btf,$<) $(MODULE_FLAGS) modules
	@cp -p $(@D)/bench/module/usrpci-bench.ko $@

FORCE:
.PHONY: FORCE $(addprefix module-,$(KERNELS) custom) $(addprefix bench-module-,$(KERNELS))
