/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Log messages of the hypervisor: every line appears as "(XEN) ...".
 * Usable from any context, the earliest boot and NMI included.  Data is
 * counted bytes; a message that does not end in '\n' is continued by the next.
 * Floor: console.
 */
#ifndef HV_PRINTK_H
#define HV_PRINTK_H

#include <hv/compiler.h>
#include <hv/format.h>
#include <hv/types.h>

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

struct domain;

/* What somebody asked to see: shown at every level. */
void console_printf(const char *fmt, ...) __printf(1, 2);
void printk_level(enum log_level level, const char *fmt, ...) __printf(2, 3);
/* Rate limited; for what a guest can cause. Prefixes "d<domain>v<vcpu> ". */
void printk_guest(enum log_level level, const char *fmt, ...) __printf(2, 3);

#define printk(...) console_printf(__VA_ARGS__)
#define log_error(...) printk_level(LOG_ERROR, __VA_ARGS__)
#define log_warn(...) printk_level(LOG_WARNING, __VA_ARGS__)
#define log_info(...) printk_level(LOG_INFO, __VA_ARGS__)
#define log_debug(...) printk_level(LOG_DEBUG, __VA_ARGS__)
#define guest_warn(...) printk_guest(LOG_WARNING, __VA_ARGS__)
#define guest_debug(...) printk_guest(LOG_DEBUG, __VA_ARGS__)

#endif
