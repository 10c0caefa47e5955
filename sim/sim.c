// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <endian.h>
#include <errno.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "sim.h"

#define SECOND	1000000000ULL

uint64_t sim_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * SECOND + (uint64_t)now.tv_nsec;
}

/* --- making one --- */

static const struct sim_device *find_device(const char *name)
{
	unsigned int i;

	for (i = 0; sim_devices[i]; i++)
		if (!strcmp(sim_devices[i]->name, name))
			return sim_devices[i];
	return NULL;
}

const struct sim_option sim_options[] = {
	{ "trace", "a file that gets a line for each access, DMA and interrupt" },
	{ 0 }
};

static bool is_option(const struct sim_option *option, const char *text)
{
	size_t len = strcspn(text, "=");

	for (; option && option->name; option++)
		if (strlen(option->name) == len && !strncmp(option->name, text, len))
			return text[len] == '=';
	return false;
}

/* A device is made once, so there's one reason why it can't be. */
static const char *complain(const char *what, const char *option)
{
	static char why[128];

	snprintf(why, sizeof(why), "%s \"%.64s\"", what, option);
	return why;
}

/* @options points into @text, which goes on to be used. */
static const char *parse_options(struct sim *sim, char *text)
{
	unsigned int nr = 0;
	char *one;

	sim->options = calloc(strlen(text) + 2, sizeof(*sim->options));
	if (!sim->options)
		return "out of memory";
	while ((one = strsep(&text, ","))) {
		if (!*one)
			continue;
		if (is_option(sim->device->options, one) || is_option(sim_options, one)) {
			sim->options[nr++] = one;
			continue;
		}
		switch (sim_faults_set(&sim->faults, one)) {
		case -ENOENT:
			return complain("no such option", one);
		case -EINVAL:
			return complain("an option's value isn't a number that it can have:", one);
		}
	}
	return NULL;
}

const char *sim_option(const struct sim *sim, const char *name)
{
	const char **option;
	size_t len = strlen(name);

	for (option = sim->options; *option; option++)
		if (!strncmp(*option, name, len) && (*option)[len] == '=')
			return *option + len + 1;
	return NULL;
}

static const char *set_up(struct sim *sim, char *text)
{
	char *name = strsep(&text, ","), none[] = "";
	const char *why;

	sim->device = find_device(name);
	if (!sim->device)
		return "no such device";
	why = sim_device_check(sim->device);
	if (why)
		return why;
	why = parse_options(sim, text ? text : none);
	if (why)
		return why;
	sim_config_init(&sim->config, sim->device);
	sim_memory_init(&sim->memory);
	if (sim_irqs_init(&sim->irqs, sim->device))
		return "out of memory";
	if (sim_trace_open(&sim->trace, sim_option(sim, "trace")))
		return "the file for the trace can't be written";
	why = "it can't be made";
	sim->self = sim->device->create(sim, &why);
	return sim->self ? NULL : why;
}

struct sim *sim_create(char *text, const char **why)
{
	struct sim *sim = calloc(1, sizeof(*sim));

	if (!sim) {
		*why = "out of memory";
		return NULL;
	}
	sim_faults_init(&sim->faults);
	*why = set_up(sim, text);
	if (!*why)
		return sim;
	sim_irqs_destroy(&sim->irqs);
	free(sim->options);
	free(sim);
	return NULL;
}

void sim_destroy(struct sim *sim)
{
	if (sim->device->destroy)
		sim->device->destroy(sim->self);
	sim_irqs_destroy(&sim->irqs);
	sim_memory_unmap_all(&sim->memory);
	sim_trace_close(&sim->trace);
	free(sim->options);
	free(sim);
}

/* --- registers --- */

uint64_t sim_region_len(const struct sim *sim, unsigned int region)
{
	if (region == VFIO_PCI_CONFIG_REGION_INDEX)
		return sim->config.len;
	return region < SIM_BARS ? sim->device->bars[region].len : 0;
}

static void take_time(const struct sim *sim)
{
	const struct timespec slow = {
		.tv_sec = (time_t)(sim->faults.slow / 1000000),
		.tv_nsec = (long)(sim->faults.slow % 1000000 * 1000),
	};

	if (sim->faults.slow)
		nanosleep(&slow, NULL);
}

static bool is_part(const struct sim *sim, unsigned int region, uint64_t offset, size_t len)
{
	uint64_t end = sim_region_len(sim, region);

	return offset < end && len <= end - offset;
}

/* The widest register that can start at @offset and isn't longer than @len. */
static unsigned int width_at(uint64_t offset, size_t len)
{
	unsigned int width = 8;

	while (width > len || offset & (width - 1))
		width /= 2;
	return width;
}

static void read_bar(struct sim *sim, unsigned int bar, uint64_t offset, uint8_t *buf, size_t len)
{
	uint64_t value;
	size_t width;

	for (; len; len -= width, offset += width, buf += width) {
		width = width_at(offset, len);
		value = htole64(sim->device->read(sim->self, bar, offset, (unsigned int)width));
		memcpy(buf, &value, width);
	}
}

int sim_region_read(struct sim *sim, unsigned int region, uint64_t offset, void *buf, size_t len)
{
	if (!is_part(sim, region, offset, len))
		return -EINVAL;
	sim->counts.reads++;
	take_time(sim);
	if (sim->faults.all_ones)
		memset(buf, 0xff, len);
	else if (region == VFIO_PCI_CONFIG_REGION_INDEX)
		sim_config_read(&sim->config, (unsigned int)offset, buf, len);
	else
		read_bar(sim, region, offset, buf, len);
	sim_trace_access(&sim->trace, "read", region, offset, buf, len);
	return 0;
}

static void write_bar(struct sim *sim, unsigned int bar, uint64_t offset, const uint8_t *buf,
		      size_t len)
{
	uint64_t value;
	size_t width;

	for (; len; len -= width, offset += width, buf += width) {
		width = width_at(offset, len);
		value = 0;
		memcpy(&value, buf, width);
		sim->device->write(sim->self, bar, offset, (unsigned int)width, le64toh(value));
	}
}

static void write_config(struct sim *sim, unsigned int offset, const void *buf, size_t len)
{
	if (sim_config_write(&sim->config, offset, buf, len))
		sim_reset(sim);
	sim_irqs_pin(&sim->irqs, sim_config_pin(&sim->config));
}

int sim_region_write(struct sim *sim, unsigned int region, uint64_t offset, const void *buf,
		     size_t len)
{
	if (!is_part(sim, region, offset, len))
		return -EINVAL;
	sim->counts.writes++;
	sim_trace_access(&sim->trace, "write", region, offset, buf, len);
	take_time(sim);
	if (sim->faults.all_ones)
		return 0;
	if (region == VFIO_PCI_CONFIG_REGION_INDEX)
		write_config(sim, (unsigned int)offset, buf, len);
	else if (!sim->faults.hang)
		write_bar(sim, region, offset, buf, len);
	return 0;
}

static void set_pin(struct sim *sim, bool level)
{
	sim_config_set_pin(&sim->config, level);
	sim_irqs_pin(&sim->irqs, sim_config_pin(&sim->config));
}

int sim_reset(struct sim *sim)
{
	if (sim->faults.reset_fails)
		return -EIO;
	sim->counts.resets++;
	sim_trace_line(&sim->trace, "reset");
	sim->wake_ns = 0;
	set_pin(sim, false);
	sim->device->reset(sim->self);
	return 0;
}

void sim_disconnect(struct sim *sim)
{
	sim->wake_ns = 0;
	sim->storm_ns = 0;
	set_pin(sim, false);
	sim->device->reset(sim->self);
	sim_config_reset(&sim->config);
	sim_irqs_drop(&sim->irqs);
	sim_memory_unmap_all(&sim->memory);
}

/* --- interrupts --- */

bool sim_has_messages(const struct sim *sim)
{
	return sim_irqs_has_messages(&sim->irqs);
}

/* A message is a write to memory. */
static void fire(struct sim *sim, unsigned int vector)
{
	if (!sim_has_messages(sim))
		set_pin(sim, true);
	else if (sim_config_is_master(&sim->config))
		sim_irqs_message(&sim->irqs, vector);
}

void sim_raise(struct sim *sim, unsigned int vector)
{
	sim->counts.interrupts++;
	sim_trace_line(&sim->trace, "interrupt %u", vector);
	if (sim_faults_draw(&sim->faults, sim->faults.irq_lost))
		return;
	fire(sim, vector);
	if (sim_faults_draw(&sim->faults, sim->faults.irq_doubled))
		fire(sim, vector);
}

void sim_lower(struct sim *sim)
{
	set_pin(sim, false);
}

/* --- commands --- */

enum sim_fate sim_draw_fate(struct sim *sim)
{
	if (sim_faults_draw(&sim->faults, sim->faults.command_lost))
		return SIM_LOST;
	return sim_faults_draw(&sim->faults, sim->faults.command_held) ? SIM_HELD : SIM_DONE;
}

/* --- time --- */

void sim_wake(struct sim *sim, uint64_t microseconds)
{
	sim->wake_ns = microseconds ? sim_now_ns() + microseconds * 1000 : 0;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	if (!a || !b)
		return a ? a : b;
	return a < b ? a : b;
}

uint64_t sim_next_ns(const struct sim *sim)
{
	return earlier(sim->faults.hang ? 0 : sim->wake_ns, sim->storm_ns);
}

/* At most as often as it's looked at: nobody could tell. */
static void storm(struct sim *sim, uint64_t now)
{
	if (!sim->faults.irq_storm) {
		sim->storm_ns = 0;
		return;
	}
	if (sim->storm_ns && now < sim->storm_ns)
		return;
	if (sim->storm_ns)
		fire(sim, 0);
	sim->storm_ns = now + SECOND / sim->faults.irq_storm;
}

void sim_run_clock(struct sim *sim)
{
	uint64_t now = sim_now_ns();

	storm(sim, now);
	if (!sim->wake_ns || now < sim->wake_ns || sim->faults.hang)
		return;
	sim->wake_ns = 0;
	if (sim->device->tick)
		sim->device->tick(sim->self);
}
