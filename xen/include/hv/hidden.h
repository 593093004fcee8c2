/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Included by force (Makefile) before anything else: every symbol of every
 * header lies in this image, so no address goes through a table. Floor: lib.
 */
#ifndef HV_HIDDEN_H
#define HV_HIDDEN_H

#pragma GCC visibility push(hidden)

#endif
