# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The usrpci authors
#
# make install: DESTDIR and PREFIX as usual; KDIR names the kernel that the module
# is for, if it isn't the running one. MODULE=no leaves the module out.

KDIR_RUNNING := /lib/modules/$(shell uname -r)/build
INSTALL ?= install
DEST := $(DESTDIR)$(PREFIX)
# A folder of one's own has all of it, and changes nothing of the system's.
OWN_PREFIX = $(filter-out /usr /usr/local,$(PREFIX))
# Where nbdkit looks.
NBDKIT_PLUGINS = $(if $(OWN_PREFIX),$(PREFIX)/lib/nbdkit/plugins,$(shell pkg-config --variable=plugindir nbdkit))

# The module first, since it's what may lack something.
install: $(if $(filter no,$(MODULE)),,install-module) install-user

install-user: user $(BUILD)/usrpci.pc $(BUILD)/usrdrv.pc
	$(INSTALL) -D -t $(DEST)/bin $(PROGRAMS)
	$(INSTALL) -D -m 644 -t $(DEST)/lib $(LIB) $(USRDRV)
	$(INSTALL) -D -t $(DEST)/lib $(LIBSO) $(USRDRVSO)
	ln -sf $(notdir $(LIBSO)) $(DEST)/lib/libusrpci.so
	ln -sf $(notdir $(USRDRVSO)) $(DEST)/lib/libusrdrv.so
	$(INSTALL) -D -m 644 -t $(DEST)/include include/usrpci.h include/usrdrv.h
	$(INSTALL) -D -m 644 -t $(DEST)/include/usrpci include/usrpci/*.h
	$(INSTALL) -D -m 644 -t $(DEST)/include/linux include/uapi/linux/usrpci.h
	$(INSTALL) -D -m 644 -t $(DEST)/lib/pkgconfig $(BUILD)/usrpci.pc $(BUILD)/usrdrv.pc
	$(INSTALL) -D -m 644 -t $(DEST)/share/man/man8 man/*.8
	$(INSTALL) -D -m 644 -t $(DEST)/share/man/man1 man/*.1
	$(INSTALL) -D -m 644 tools/completion/usrpci.bash \
		$(DEST)/share/bash-completion/completions/usrpci
	$(if $(HAS_NBDKIT),$(INSTALL) -D -t $(DESTDIR)$(NBDKIT_PLUGINS) $(NBD))
	$(if $(DESTDIR)$(OWN_PREFIX),,ldconfig)

install-module:
	$(MAKE) module-custom KDIR=$(or $(KDIR),$(KDIR_RUNNING))
	$(MAKE) -s -C $(or $(KDIR),$(KDIR_RUNNING)) M=$(abspath $(BUILD))/module/custom/kernel \
		INSTALL_MOD_PATH=$(DESTDIR) CONFIG_MODULE_SIG_ALL= modules_install
	$(if $(DESTDIR),,PATH=$$PATH:/sbin:/usr/sbin depmod \
		"$$($(MAKE) -s -C $(or $(KDIR),$(KDIR_RUNNING)) kernelrelease)")

$(BUILD)/%.pc: scripts/%.pc.in FORCE
	@mkdir -p $(@D)
	@sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@VERSION@|$(VERSION)|' $< >$@

.PHONY: install install-user install-module
