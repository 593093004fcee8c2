/* SPDX-License-Identifier: GPL-2.0-only */
/* console/serial.c: the words of com1= and com2=. */
#include <hv/format.h>
#include <hv/serial.h>
#include <hv/string.h>

#include "check.h"

static struct serial_params p;
static char word[32];

static bool good(const char *text)
{
    p = (struct serial_params){.io_base = 0x3f8, .irq = 4};
    return serial_parse(text, &p, word, sizeof(word)) == NULL;
}

static bool bad(const char *text, const char *named)
{
    return !good(text) && strcmp(word, named) == 0;
}

void test_serial(void)
{
    static const u32 bauds[] = {1200,  1800,  2400,  4800,  7200,  9600,  14400,
                                 19200, 28800, 38400, 57600, 112000, 115200};
    char text[16];

    for (unsigned int i = 0; i < ARRAY_SIZE(bauds); i++) {
        snprintf(text, sizeof(text), "%u", bauds[i]);
        CHECK(good(text) && p.baud == bauds[i] && p.data_bits == 8);
    }
    for (const char *parity = "noems"; *parity != '\0'; parity++)
        for (unsigned int data = 5; data <= 8; data++)
            for (unsigned int stop = 1; stop <= 2; stop++) {
                snprintf(text, sizeof(text), "9600,%u%c%u", data, *parity,
                         stop);
                CHECK(good(text) && p.data_bits == data &&
                      p.parity == *parity && p.stop_bits == stop);
            }
    CHECK(good("auto") && p.baud == 0 && p.io_base == 0x3f8 && p.irq == 4);
    CHECK(good("115200,8n1,0x2e8,5") && p.io_base == 0x2e8 && p.irq == 5);
    CHECK(good("115200,8n1,0x2e8,0") && p.irq == 0);
    CHECK(bad("", "") && bad("fast", "fast") && bad("1199", "1199"));
    CHECK(serial_divisor(1200) == 96 && serial_divisor(28800) == 4);
    CHECK(bad("76800", "76800") && bad("100000,8n1", "100000"));
    CHECK(bad("115201", "115201") && bad("9600,9n1", "9n1"));
    CHECK(bad("9600,8x1", "8x1") && bad("9600,8n3", "8n3"));
    CHECK(bad("9600,", "") && bad("9600,8n1,", ""));
    CHECK(bad("9600,8n1,0x3f8", "0x3f8") && bad("9600,8n1,0", "0"));
    CHECK(bad("9600,8n1,0xfff1,4", "0xfff1"));
    CHECK(bad("9600,8n1,0x3f8,32", "32") && bad("9600,8n1,0x3f8,x", "x"));
    CHECK(bad("9600,8n1,0x3f8,4,1", "1"));
}
