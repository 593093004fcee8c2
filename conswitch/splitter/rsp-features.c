/* SPDX-License-Identifier: GPL-2.0-only */
/* Rewriting the reply to qSupported. */
#include "rsp-features.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rsp.h"

/* gdb sends a packet of PacketSize with its framing. */
#define MAX_SIZE (RSP_PACKET_MAX - 16u)

struct list {
    uint8_t *out;
    size_t len, max;
};

size_t rsp_expand(const uint8_t *in, size_t len, uint8_t *out, size_t max)
{
    size_t nr = 0;

    for (size_t i = 0; i < len; i++) {
        /* '*' and a count character of value 29 + repeats */
        if (in[i] == '*' && nr > 0 && i + 1 < len && in[i + 1] > 29) {
            size_t count = in[++i] - 29u;

            while (count-- && nr < max) {
                out[nr] = out[nr - 1];
                nr++;
            }
        } else if (nr < max) {
            out[nr++] = in[i];
        }
    }
    return nr;
}

static void add(struct list *l, const char *item, size_t len)
{
    if (l->len + len + 1 > l->max)
        return;
    if (l->len)
        l->out[l->len++] = ';';
    memcpy(l->out + l->len, item, len);
    l->len += len;
}

static bool is(const char *item, size_t len, const char *name)
{
    size_t n = strlen(name);

    return len >= n && memcmp(item, name, n) == 0;
}

static void add_size(struct list *l, const char *item, size_t len)
{
    char digits[20] = "", text[40];
    unsigned long size;
    int n;

    item += strlen("PacketSize=");
    len -= strlen("PacketSize=");
    memcpy(digits, item, len < 16 ? len : 16);
    size = strtoul(digits, NULL, 16);
    if (size > MAX_SIZE || len > 16)
        size = MAX_SIZE;
    n = snprintf(text, sizeof(text), "PacketSize=%lx", size);
    add(l, text, (size_t)n);
}

static void add_item(struct list *l, const char *item, size_t len, bool exec)
{
    if (is(item, len, "QStartNoAckMode") || is(item, len, "binary-upload") ||
        (exec && is(item, len, "qXfer:exec-file:")))
        return;
    if (is(item, len, "PacketSize="))
        add_size(l, item, len);
    else if (len > 0)
        add(l, item, len);
}

size_t rsp_features(const uint8_t *in, size_t len, bool exec_file, uint8_t *out,
                    size_t max)
{
    static const char no_ack[] = "QStartNoAckMode+";
    static const char exec[] = "qXfer:exec-file:read+";
    struct list l = { .out = out, .max = max };
    char plain[RSP_PACKET_MAX];
    size_t at = 0, end;

    if (len && in[0] == 'E') {
        memcpy(out, in, len);
        return len;
    }
    len = rsp_expand(in, len, (uint8_t *)plain, sizeof(plain));
    /* ours first, so that they fit whatever follows */
    add(&l, no_ack, sizeof(no_ack) - 1);
    if (exec_file)
        add(&l, exec, sizeof(exec) - 1);
    for (; at < len; at = end + 1) {
        for (end = at; end < len && plain[end] != ';'; end++)
            ;
        add_item(&l, plain + at, end - at, exec_file);
    }
    return l.len;
}
