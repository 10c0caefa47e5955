# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The usrpci authors
#
# usrpci.ko, once for each kernel that vm/run boots: build/module/<kernel>/.
# `make module` makes the one for the stock kernel; with KDIR=… for any other, in
# build/module/custom/.

MODULE_SRC := $(shell find kernel include/uapi -type f)

module: module-$(if $(KDIR),custom,stock)

$(addprefix module-,$(KERNELS) custom): module-%: $(BUILD)/module/%/usrpci.ko

# The kernel's build writes beside its sources, so it gets a copy of them.
$(BUILD)/module/%/usrpci.ko: $(MODULE_SRC)
	@mkdir -p $(@D)
	@cp -pRu kernel include $(@D)/
	$(MAKE) -C $(or $(if $(filter custom,$*),$(KDIR)),$$(scripts/kernel $* headers)) \
		M=$(abspath $(@D))/kernel W=1 $(MODULE_FLAGS) modules
	@cp -p $(@D)/kernel/usrpci.ko $@

.PHONY: $(addprefix module-,$(KERNELS) custom)
