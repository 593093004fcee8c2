/* SPDX-License-Identifier: GPL-2.0-only */
/* Rules over lines: how they are coloured, and which ones set off actions. */
#ifndef MINITERM_RULES_H
#define MINITERM_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "settings.h"

struct rules;

/* Compiles the settings' and the shipped rules; NULL after a message. */
struct rules *rules_new(const struct settings *set);
void rules_free(struct rules *r);

/*
 * Attribute (lines.h) for a line: that of the first rule that matches, the
 * user's before the shipped ones; 0 when none does.
 */
uint16_t rules_color(const struct rules *r, const char *text, size_t len);

/* The first trigger that a line sets off, or NULL. */
const struct trigger_rule *rules_trigger(const struct rules *r,
                                         const char *text, size_t len);

/* "bold red on yellow" as an attribute; false for an unknown word. */
bool rules_parse_color(const char *text, uint16_t *attr);

#endif
