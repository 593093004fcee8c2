/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The splitter's parsers of bytes that others send: both legs of the
 * debugger's protocol, its framing, the features list, telnet, the files
 * offered to gdb, build-ids, a source's name.
 *
 * The first byte chooses the parser.  For the protocol the rest is a program
 * of (operation, count) and the bytes it works on.
 */
#include <stdlib.h>
#include <string.h>

#include "buildid.h"
#include "history.h"
#include "rsp-features.h"
#include "rsp.h"
#include "source.h"
#include "symbols.h"
#include "telnet.h"

#define REQUIRE(x) ((x) ? (void)0 : abort())

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Big, hence allocated once; reset for each input. */
static struct rsp *rsp;
static struct rsp_frame *seen; /* what gdb would read */
static uint64_t now;

static bool near(void *ctx, const uint8_t *cmd, size_t len, uint8_t *reply,
                 size_t max, size_t *reply_len)
{
    struct symbols *sym = ctx;
    bool done = symbols_near(sym, cmd, len, reply, max, reply_len);

    REQUIRE(!done || *reply_len <= max);
    return done;
}

/* gdb must see whole packets with good checksums, acks, nothing else. */
static void check_gdb(void)
{
    const uint8_t *data;
    size_t nr;

    while ((nr = rsp_gdb_peek(rsp, &data)) > 0) {
        for (size_t i = 0; i < nr; i++) {
            enum rsp_event ev = rsp_frame_push(seen, data[i]);

            REQUIRE(ev == RSP_NOTHING || ev == RSP_PACKET || ev == RSP_ACK ||
                    ev == RSP_NAK);
        }
        rsp_gdb_done(rsp, nr);
    }
}

/* The line must see 7-bit characters. */
static void check_line(size_t max)
{
    uint8_t out[300];
    size_t nr = rsp_to_line(rsp, out, max, now);

    REQUIRE(nr <= max);
    for (size_t i = 0; i < nr; i++)
        REQUIRE(out[i] < 0x80);
    REQUIRE(nr == max || !rsp_line_pending(rsp) || max == 0 || nr > 0);
}

static void rsp_step(uint8_t op, uint8_t arg, const uint8_t *rest, size_t left)
{
    uint8_t line[256];
    size_t nr = arg < left ? arg : left;

    switch (op % 8) {
    case 0:
    case 1: REQUIRE(rsp_from_gdb(rsp, rest, nr) <= nr); break;
    case 2:
    case 3:
        for (size_t i = 0; i < nr; i++)
            line[i] = rest[i] & 0x7f;
        rsp_from_line(rsp, line, nr, now);
        break;
    case 4: check_line(arg); break;
    case 5:
        now += arg * 16u;
        rsp_tick(rsp, now);
        break;
    case 6:
        rsp_detach(rsp);
        rsp_attach(rsp);
        rsp_frame_reset(seen);
        break;
    default: rsp_line_reset(rsp); (void)rsp_take_break(rsp);
    }
    check_gdb();
}

static void fuzz_rsp(const uint8_t *data, size_t size, struct symbols *sym)
{
    struct rsp_config cfg = { .near = near,
                              .ctx = sym,
                              .serves_exec_file = true };

    if (!rsp)
        rsp = malloc(sizeof(*rsp));
    if (!seen)
        seen = malloc(sizeof(*seen));
    REQUIRE(rsp && seen);
    rsp_init(rsp, &cfg);
    rsp_attach(rsp);
    rsp_frame_reset(seen);
    while (size >= 2) {
        size_t step = data[0] % 8 < 4 ? data[1] : 0;

        rsp_step(data[0], data[1], data + 2, size - 2);
        data += 2;
        size -= 2;
        step = step < size ? step : size;
        data += step;
        size -= step;
    }
}

/* One whole command of gdb's, so that the handlers behind are reached. */
static void fuzz_command(const uint8_t *data, size_t size, struct symbols *sym)
{
    static const char *const heads[] = {
        "", "vFile:open:", "vFile:pread:1,", "qXfer:exec-file:read:", "vFile:",
    };
    uint8_t reply[4096], text[600];
    size_t len, nr = 0;

    if (size < 1 || size > 256)
        return;
    len = strlen(heads[data[0] % 5]);
    memcpy(text, heads[data[0] % 5], len);
    memcpy(text + len, data + 1, size - 1);
    (void)near(sym, text, len + size - 1, reply, sizeof(reply), &nr);
}

static void fuzz_features(const uint8_t *data, size_t size)
{
    static uint8_t out[RSP_PACKET_MAX];

    REQUIRE(rsp_features(data, size, size & 1, out, sizeof(out)) <=
            sizeof(out));
    REQUIRE(rsp_expand(data, size, out, 100) <= 100);
}

static void fuzz_telnet(const uint8_t *data, size_t size)
{
    struct telnet t;
    uint8_t out[600], back[1200];
    size_t nr;

    if (size > 500)
        return;
    telnet_init(&t, TELNET_BINARY | TELNET_SGA, TELNET_ECHO);
    if (size & 1)
        telnet_offer(&t);
    nr = telnet_rx(&t, data, size, out);
    REQUIRE(nr <= size + 1 && t.nr_reply <= TELNET_REPLY_MAX);
    REQUIRE((t.us & ~(TELNET_BINARY | TELNET_SGA)) == 0);
    REQUIRE((t.them & ~TELNET_ECHO) == 0);
    REQUIRE(telnet_tx(&t, out, nr, back) <= 2 * nr);
}

static void fuzz_source(const uint8_t *data, size_t size)
{
    struct source_spec spec;
    char text[300], err[400];

    if (size >= sizeof(text))
        return;
    memcpy(text, data, size);
    text[size] = '\0';
    if (source_parse(&spec, text, err, sizeof(err)) < 0)
        REQUIRE(strlen(err) > 0);
    else
        REQUIRE(spec.data_bits >= 5 && spec.data_bits <= 8);
}

/* What is taken for a build-id is one, and comes back as it was. */
static void fuzz_build_id(const uint8_t *data, size_t size)
{
    char text[200], hex[2 * BUILD_ID_MAX + 1];
    struct build_id id = { 0 }, again = { 0 };

    if (size >= sizeof(text))
        return;
    memcpy(text, data, size);
    text[size] = '\0';
    if (build_id_of_path(text, &id))
        REQUIRE(id.len >= 2 && id.len <= BUILD_ID_MAX);
    if (!build_id_parse(text, size, &id))
        return;
    REQUIRE(id.len * 2 == size);
    build_id_text(&id, hex);
    REQUIRE(build_id_parse(hex, strlen(hex), &again) &&
            build_id_same(&id, &again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct symbols sym;

    if (size == 0)
        return 0;
    symbols_clear(&sym);
    sym.is_directory = data[0] & 0x40;
    strcpy(sym.path, sym.is_directory ? "/srv" : "/etc/hostname");
    switch (data[0] % 7) {
    case 0: fuzz_command(data + 1, size - 1, &sym); break;
    case 1: fuzz_features(data + 1, size - 1); break;
    case 2: fuzz_telnet(data + 1, size - 1); break;
    case 3: fuzz_source(data + 1, size - 1); break;
    case 4: fuzz_build_id(data + 1, size - 1); break;
    default: fuzz_rsp(data + 1, size - 1, &sym);
    }
    symbols_close(&sym);
    return 0;
}
