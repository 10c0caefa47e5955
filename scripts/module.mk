# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The usrpci authors
#
# usrpci.ko, once for each kernel that vm/run boots: build/module/<kernel>/.
# `make module` makes the one for the stock kernel, KDIR=… one for any other.

MODULE_SRC := $(shell find kernel include/uapi -type f)

module: module-stock

$(KERNELS:%=module-%): module-%: $(BUILD)/module/%/usrpci.ko

# The kernel's build writes beside its sources, so it gets a copy of them.
$(BUILD)/module/%/usrpci.ko: $(MODULE_SRC)
	@mkdir -p $(@D)
	@cp -pRu kernel include $(@D)/
	$(MAKE) -C $(or $(KDIR),$$(scripts/kernel $* headers)) M=$(abspath $(@D))/kernel \
		W=1 $(MODULE_FLAGS) modules
	@cp -p $(@D)/kernel/usrpci.ko $@

.PHONY: $(KERNELS:%=module-%)
