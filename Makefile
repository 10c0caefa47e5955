# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The usrpci authors
#
#   make          the library, the command, the drivers, the examples, the module
#   make demo     see it work, on a machine with nothing installed
#   make check    all tests, in a virtual machine where they need a kernel
#   make campaign what could go wrong, very often: some hours
#   make fuzz     a minute for each parser and each end of a socket; FUZZ_SECONDS=
#   make bench    how fast it is, against goals; make bench-translation: one group of it
#   make lint     checkpatch, sparse, clang-tidy, shellcheck, the ABI's padding
#   make install  DESTDIR=… PREFIX=/usr/local KDIR=/lib/modules/…/build MODULE=no
#   V=1           show each command whole
#
# What a package is missing is installed by scripts/setup.

VERSION := 0.1.0
SOVERSION := 0
PREFIX ?= /usr/local
BUILD ?= build
KERNELS := stock generic debug recent

CFLAGS ?= -O2 -g
WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wvla -Werror=implicit-function-declaration -Wno-unused-parameter -Wno-missing-field-initializers
ALL_CFLAGS := -std=gnu11 -D_GNU_SOURCE -fPIC -fvisibility=hidden -MMD -MP $(WARN) \
	-Iinclude $(CFLAGS)

ifneq (1,$(words $(CURDIR)))
$(error usrpci: the kernel's build can't work below a path with a space: $(CURDIR))
endif

Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-4s %s\n' $1 $2)

.PHONY: all user module demo check campaign lint clean
.DELETE_ON_ERROR:
.SECONDARY:

all: user module

include scripts/user.mk
include scripts/module.mk
include scripts/install.mk
include scripts/fuzz.mk

demo: all
	scripts/demo

# The fault hook is what the campaign failnth needs on a stock kernel.
FAULTY := $(BUILD)/module/stock-fault/usrpci.ko

check: all tests $(FAULTY)
	scripts/check

campaign: all tests $(FAULTY)
	scripts/campaign

lint:
	scripts/lint

clean:
	rm -rf $(BUILD)/obj $(BUILD)/bin $(BUILD)/lib $(BUILD)/examples \
		$(BUILD)/tests $(BUILD)/bench $(BUILD)/fuzz $(BUILD)/module \
		$(BUILD)/nbdkit $(BUILD)/*.pc
