/* SPDX-License-Identifier: GPL-2.0-only */
/* The reply to qSupported, as gdb is to see it. */
#ifndef RSP_FEATURES_H
#define RSP_FEATURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Rewrites the target's list: no-ack mode is offered (the near side does it),
 * binary transfers are not, PacketSize is no more than a packet here, and the
 * executable is offered when `exec_file`.  Returns the length in out[max],
 * where max is at least RSP_PACKET_MAX.  An error reply passes unchanged.
 */
size_t rsp_features(const uint8_t *in, size_t len, bool exec_file, uint8_t *out,
                    size_t max);

/* Expands run-length encoding; returns the length, at most max. */
size_t rsp_expand(const uint8_t *in, size_t len, uint8_t *out, size_t max);

#endif /* RSP_FEATURES_H */
