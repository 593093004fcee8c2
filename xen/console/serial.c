/* SPDX-License-Identifier: GPL-2.0-only */
/* The words of com1= and com2=. Plain parsing: also built for host tests. */
#include <hv/serial.h>
#include <hv/string.h>

#define UART_CLOCK 115200U /* divisor 1 */
#define BAUD_PERCENT 3U    /* so far off, and a far end still understands */

static const char *find_comma(const char *s)
{
    const char *comma = strchr(s, ',');

    return comma ? comma : s + strlen(s);
}

/* The whole word [s, end) as a number in [min, max]. */
static bool parse_number(const char *s, const char *end, unsigned int base,
                         unsigned long max, unsigned long *v)
{
    const char *stop;

    *v = strtoul(s, &stop, base);
    return stop == end && end != s && *v >= 1 && *v <= max;
}

u16 serial_divisor(u32 baud)
{
    u32 divisor = (UART_CLOCK + baud / 2) / baud;
    u32 made = divisor * baud; /* UART_CLOCK, if it fits */
    u32 off = made > UART_CLOCK ? made - UART_CLOCK : UART_CLOCK - made;

    return off * 100 > UART_CLOCK * BAUD_PERCENT ? 0 : (u16)divisor;
}

static const char *parse_baud(const char *s, const char *end,
                              struct serial_params *p)
{
    unsigned long baud;

    if (end - s == 4 && strncmp(s, "auto", 4) == 0) {
        p->baud = 0;
        return NULL;
    }
    if (!parse_number(s, end, 10, 115200, &baud) || baud < 1200)
        return "the baud rate must be 1200 to 115200, or auto";
    if (!serial_divisor((u32)baud))
        return "115200 divided by a whole number gives no such baud rate";
    p->baud = (u32)baud;
    return NULL;
}

static const char *parse_dps(const char *s, const char *end,
                             struct serial_params *p)
{
    if (end - s != 3)
        return "data bits, parity and stop bits look like 8n1";
    if (s[0] < '5' || s[0] > '8')
        return "data bits must be 5 to 8";
    if (!memchr("noems", s[1], 5))
        return "parity must be n, o, e, m or s";
    if (s[2] != '1' && s[2] != '2')
        return "stop bits must be 1 or 2";
    p->data_bits = (u8)(s[0] - '0');
    p->parity = s[1];
    p->stop_bits = (u8)(s[2] - '0');
    return NULL;
}

static const char *parse_io_base(const char *s, const char *end,
                                 struct serial_params *p)
{
    unsigned long v;

    if (!parse_number(s, end, 0, 0xfff0, &v))
        return "the I/O base must be 1 to 0xfff0";
    p->io_base = (u16)v;
    if (*end != ',')
        return "an irq must follow the I/O base (0: polled)";
    return NULL;
}

static const char *parse_irq(const char *s, const char *end,
                             struct serial_params *p)
{
    const char *stop;
    unsigned long v = strtoul(s, &stop, 10);

    if (stop != end || end == s || v > SERIAL_MAX_IRQ)
        return "the irq must be 1 to 31, or 0 for polling";
    p->irq = (u8)v;
    return NULL;
}

static const char *refuse_rest(const char *s, const char *end,
                               struct serial_params *p)
{
    (void)s, (void)end, (void)p;
    return "nothing may follow the irq";
}

const char *serial_parse(const char *text, struct serial_params *p,
                         char *bad_word, size_t size)
{
    static const char *(*const step[])(const char *, const char *,
                                       struct serial_params *) = {
        parse_baud, parse_dps, parse_io_base, parse_irq, refuse_rest,
    };
    const char *s = text;

    p->data_bits = 8;
    p->parity = 'n';
    p->stop_bits = 1;
    for (unsigned int i = 0; i < ARRAY_SIZE(step); i++) {
        const char *end = find_comma(s);
        const char *wrong = step[i](s, end, p);

        if (wrong) {
            strlcpy(bad_word, s, MIN(size, (size_t)(end - s) + 1));
            return wrong;
        }
        if (*end == '\0')
            break;
        s = end + 1;
    }
    return NULL;
}

int serial_port_of(const char *word, const char **rest)
{
    if (strncmp(word, "com", 3) != 0 || word[3] < '1' ||
        word[3] >= '1' + NR_SERIAL_PORTS)
        return -1;
    *rest = word + 4;
    return word[3] - '1';
}
