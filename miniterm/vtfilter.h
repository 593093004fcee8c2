/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Takes out of a target's output what a pane has no use for and a terminal
 * emulator may stumble over: control strings (OSC, DCS, SOS, PM, APC: titles,
 * clipboards, pictures, status requests) and changes of the character coding.
 * Forms: ECMA-48 sections 5.6 and 8.3; ISO 2022 for ESC %.  A repetition
 * (REP, CSI n b) passes right behind a printable ASCII character only.
 *
 * A string ends at ST, BEL, CAN, SUB or, because lines get cut, at LF.
 */
#ifndef MINITERM_VTFILTER_H
#define MINITERM_VTFILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vtfilter {
    uint8_t state; /* zero to begin with */
    bool after_text;
};

/* @out holds len + 1 bytes; returns how many were written. */
size_t vtfilter(struct vtfilter *f, uint8_t *out, const uint8_t *in,
                size_t len);

#endif
