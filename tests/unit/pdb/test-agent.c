// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every operation of agent expressions, seen as conditions: hit or no hit.
 */
#include <stdio.h>

#include "check.h"

/* True if the bytecode (hex) is true for thread p1.1 standing at 0x10200. */
static bool holds(struct fake *f, const char *code)
{
    static struct fake fresh;
    char z[512];
    bool held;

    (void)f;
    fake_init(&fresh, 0);
    fake_attach(&fresh);
    snprintf(z, sizeof(z), "Z0,10200,1;X%zx,%s", strlen(code) / 2, code);
    CHECK(!strcmp(fake_ask(&fresh, z), "OK"));
    fake_ask(&fresh, "vCont;c");
    held = fake_int3(&fresh, 1, 1, 0x10200) == PDB_HOLD;
    return held;
}

/* The program leaves the value; 0 or an error would look alike, so compare. */
static bool leaves(struct fake *f, const char *code, uint64_t value)
{
    char whole[256];

    /* ... const64 value, equal, log_not, end: true would mean "differs" */
    snprintf(whole, sizeof(whole), "%s25%016lx130e27", code,
             (unsigned long)value);
    return !holds(f, whole);
}

static void arithmetic(struct fake *f)
{
    CHECK(leaves(f, "2207220302", 10));
    CHECK(leaves(f, "2207220303", 4));
    CHECK(leaves(f, "2203220703", (uint64_t)-4));
    CHECK(leaves(f, "2207220304", 21));
    CHECK(leaves(f, "2207220305", 2));
    CHECK(leaves(f, "22f916082202" "05", (uint64_t)-3)); /* -7 / 2 */
    CHECK(leaves(f, "22f916082202" "07", (uint64_t)-1)); /* -7 % 2 */
    CHECK(leaves(f, "2207220306", 2));
    CHECK(leaves(f, "2207220308", 1));
    /* the most negative number by -1 */
    CHECK(leaves(f, "25800000000000000022ff160805", 1ull << 63));
    CHECK(leaves(f, "25800000000000000022ff160807", 0));
}

static void dividing_by_zero_fails(struct fake *f)
{
    CHECK(holds(f, "220722000527"));
    CHECK(holds(f, "220722000627"));
    CHECK(holds(f, "220722000727"));
    CHECK(holds(f, "220722000827"));
}

static void shifts(struct fake *f)
{
    CHECK(leaves(f, "2201220409", 16));
    CHECK(leaves(f, "2201224009", 0));
    CHECK(leaves(f, "22f0160822040a", (uint64_t)-1));
    CHECK(leaves(f, "22f0160822400a", (uint64_t)-1));
    CHECK(leaves(f, "22f022040b", 15));
    CHECK(leaves(f, "22f022400b", 0));
    CHECK(leaves(f, "22f022000a", 0xf0));
}

static void logic(struct fake *f)
{
    CHECK(leaves(f, "22050e", 0));
    CHECK(leaves(f, "22000e", 1));
    CHECK(leaves(f, "220622030f", 2));
    CHECK(leaves(f, "2206220310", 7));
    CHECK(leaves(f, "2206220311", 5));
    CHECK(leaves(f, "220612", ~6ull));
    CHECK(leaves(f, "2206220613", 1));
    CHECK(leaves(f, "22ff1608220114", 1)); /* -1 < 1 signed */
    CHECK(leaves(f, "22ff1608220115", 0)); /* but not unsigned */
}

static void widths(struct fake *f)
{
    CHECK(leaves(f, "22801608", (uint64_t)-128));
    CHECK(leaves(f, "227f1608", 127));
    CHECK(leaves(f, "25ffffffffffffffff2a10", 0xffff));
    CHECK(leaves(f, "25ffffffffffffffff2a40", ~0ull));
    CHECK(leaves(f, "231234", 0x1234));
    CHECK(leaves(f, "2412345678", 0x12345678));
    CHECK(holds(f, "2201160027"));
    CHECK(holds(f, "2201164127"));
}

static void memory(struct fake *f)
{
    CHECK(leaves(f, "240001000017", 0x01));
    CHECK(leaves(f, "240001000018", 0x0801));
    CHECK(leaves(f, "240001000019", 0x160f0801));
    CHECK(leaves(f, "24000100001a", 0x322b241d160f0801));
    /* over the planted int3 itself: the hidden byte */
    CHECK(leaves(f, "240001020017", (0x200 * 7 + 1) & 0xff));
    CHECK(holds(f, "22001727")); /* not mapped */
}

static void registers(struct fake *f)
{
    CHECK(leaves(f, "260000", 0x1111111111111111));
    CHECK(leaves(f, "260010", 0x10200));
    CHECK(leaves(f, "260011", 0x11111122)); /* eflags: 32 bits */
    CHECK(holds(f, "26ffff27"));
    CHECK(holds(f, "26003227")); /* "error", which is not known */
}

static void stack(struct fake *f)
{
    CHECK(leaves(f, "22052802", 10));
    CHECK(leaves(f, "2205220929", 5));
    CHECK(leaves(f, "220522032b03", (uint64_t)-2));
    CHECK(leaves(f, "2205220622073202", 5));
    CHECK(leaves(f, "22052206220733" "0302", 7 + (5 - 6)));
    CHECK(holds(f, "2205320127"));
    CHECK(holds(f, "2927"));
    CHECK(!holds(f, "27")); /* an empty stack is 0 */
}

static void jumps(struct fake *f)
{
    CHECK(leaves(f, "210006" "220127" "2209", 9)); /* over const8 1, end */
    CHECK(leaves(f, "2201" "200008" "220327" "2209", 9));
    CHECK(!holds(f, "2200" "200008" "220027" "220127"));
    CHECK(holds(f, "21000027")); /* for ever: it is stopped */
    CHECK(holds(f, "21ffff27"));
    CHECK(holds(f, "2100"));
}

static void variables(struct fake *f)
{
    CHECK(leaves(f, "22072d0003292c0003", 7));
    CHECK(holds(f, "2c001027"));
    CHECK(holds(f, "2d000327"));
}

static void tracing_is_without_effect(struct fake *f)
{
    CHECK(leaves(f, "2209220122020c", 9));
    CHECK(leaves(f, "22090d08", 9));
    CHECK(leaves(f, "2209300008", 9));
    CHECK(leaves(f, "22092e0001", 9));
    CHECK(leaves(f, "2209220122022f", 9));
}

static void nonsense_is_an_error(struct fake *f)
{
    CHECK(holds(f, "00"));
    CHECK(holds(f, "2201"));     /* no end */
    CHECK(holds(f, "220101"));   /* float */
    CHECK(holds(f, "22011d27")); /* long double */
    CHECK(holds(f, "ff27"));
    CHECK(holds(f, "22"));
    CHECK(holds(f, "25000000"));
    CHECK(holds(f, "2201280228210001")); /* grows the stack for ever */
}

/* printf: args pushed last first, then channel and function. */
static void prints(struct fake *f, const char *args, unsigned int nr,
                   const char *fmt, const char *want)
{
    char z[1024], *at = z;
    size_t len = strlen(args) / 2 + 4 + 4 + strlen(fmt) + 1 + 1;

    fake_init(f, 0);
    fake_attach(f);
    strcpy((char *)f->mem[1] + 0x800, "a string");
    at += sprintf(at, "Z0,10200,1;cmds:0,X%zx,%s2200220034%02x%04zx", len, args,
                  nr, strlen(fmt) + 1);
    for (const char *c = fmt; *c; c++)
        at += sprintf(at, "%02x", (uint8_t)*c);
    sprintf(at, "0027");
    IS(fake_ask(f, z), "OK");
    fake_ask(f, "vCont;c");
    CHECK(fake_int3(f, 1, 1, 0x10200) == PDB_GO);
    IS(f->printed, want);
}

static void printf_directives(struct fake *f)
{
    prints(f, "", 0, "100%%", "100%");
    prints(f, "", 0, "a\\tb\\n\\\\\\\"", "a\tb\n\\\"");
    prints(f, "", 0, "end\\", "end\\");
    prints(f, "22ff1608", 1, "%d", "-1");
    prints(f, "22ff1608", 1, "%u|", "4294967295|");
    prints(f, "22ff1608", 1, "%lx", "ffffffffffffffff");
    prints(f, "22ff1608", 1, "%hhu", "255");
    prints(f, "22ff", 1, "%#X %d", "0XFF 0");
    prints(f, "2202" "2201", 2, "%d %d", "1 2");
    prints(f, "2205", 1, "[%5d]", "[    5]");
    prints(f, "2205", 1, "[%-5d]", "[5    ]");
    prints(f, "2205", 1, "[%05d]", "[00005]");
    prints(f, "2205", 1, "[%+.3d]", "[+005]");
    prints(f, "2208", 1, "%o %%", "10 %");
    prints(f, "2241", 1, "%c%", "A(?)");
    prints(f, "2400010800", 1, "<%s>", "<a string>");
    prints(f, "2400010800", 1, "<%.3s>", "<a s>");
    prints(f, "2200", 1, "<%s>", "<(not mapped)>");
    prints(f, "2400010800", 1, "%p", "0x10800");
}

static void hostile_printf(struct fake *f)
{
    char wide[201];

    snprintf(wide, sizeof(wide), "%200d", 5); /* no wider than that */
    prints(f, "2205", 1, "%99999999999d", wide);
    CHECK(holds(f, "34010001" "0027")); /* arguments that are not there */
    CHECK(holds(f, "22002200" "34000004" "4142434427")); /* no final zero */
    CHECK(holds(f, "22002200" "3400ffff" "27"));
}

const struct test agent_tests[] = {
    { "agent: arithmetic", arithmetic },
    { "agent: dividing by zero fails", dividing_by_zero_fails },
    { "agent: shifts", shifts },
    { "agent: logic", logic },
    { "agent: widths", widths },
    { "agent: memory", memory },
    { "agent: registers", registers },
    { "agent: stack", stack },
    { "agent: jumps", jumps },
    { "agent: variables", variables },
    { "agent: tracing is without effect", tracing_is_without_effect },
    { "agent: nonsense is an error", nonsense_is_an_error },
    { "agent: printf directives", printf_directives },
    { "agent: hostile printf", hostile_printf },
    { NULL, NULL },
};
