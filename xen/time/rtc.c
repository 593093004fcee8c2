/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The CMOS clock, read once at boot; domain 0 owns it afterwards.
 * Facts: Motorola MC146818A data sheet.
 */
#include <hv/compiler.h>
#include <hv/x86.h>

#include "platform-timer.h"

#define CMOS_INDEX 0x70
#define CMOS_DATA 0x71
#define RTC_SECONDS 0
#define RTC_MINUTES 2
#define RTC_HOURS 4
#define RTC_DAY 7
#define RTC_MONTH 8
#define RTC_YEAR 9
#define RTC_STATUS_A 10
#define RTC_UPDATING 0x80
#define RTC_STATUS_B 11
#define RTC_24H 0x02
#define RTC_BINARY 0x04
#define RTC_PM 0x80

struct rtc_time {
    unsigned int second, minute, hour, day, month, year;
};

static u8 __init cmos_read(u8 reg)
{
    outb(reg, CMOS_INDEX);
    return inb(CMOS_DATA);
}

static unsigned int __init field(u8 reg, bool binary)
{
    u8 v = cmos_read(reg);

    return binary ? v : (v & 0xf) + (v >> 4) * 10U;
}

static struct rtc_time __init read_fields(void)
{
    u8 status = cmos_read(RTC_STATUS_B), raw = cmos_read(RTC_HOURS);
    bool binary = status & RTC_BINARY;
    struct rtc_time t = {
        .second = field(RTC_SECONDS, binary),
        .minute = field(RTC_MINUTES, binary),
        .day = field(RTC_DAY, binary),
        .month = field(RTC_MONTH, binary),
        .year = field(RTC_YEAR, binary),
    };

    if (status & RTC_24H)
        t.hour = binary ? raw : (raw & 0xf) + (raw >> 4) * 10U;
    else {
        u8 h = raw & 0x7f;

        t.hour = (binary ? h : (h & 0xf) + (h >> 4) * 10U) % 12;
        if (raw & RTC_PM)
            t.hour += 12;
    }
    t.year += t.year < 70 ? 2000 : 1900;
    return t;
}

static bool __init same(const struct rtc_time *a, const struct rtc_time *b)
{
    return a->second == b->second && a->minute == b->minute &&
           a->hour == b->hour && a->day == b->day && a->month == b->month &&
           a->year == b->year;
}

/* Days since 1970-01-01 in the Gregorian calendar, counting years from March
 * so that a leap day is the last of its year. */
static u64 __init days(unsigned int year, unsigned int month, unsigned int day)
{
    unsigned int y = month > 2 ? year : year - 1;
    unsigned int m = month > 2 ? month - 3 : month + 9;

    return 365UL * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day -
           719469;
}

/* Two equal readings in a row were not torn by an update. */
u64 __init rtc_read(void)
{
    struct rtc_time t = {0}, u;
    unsigned int tries;

    for (tries = 0; tries < 20000; tries++) {
        if (cmos_read(RTC_STATUS_A) & RTC_UPDATING)
            continue;
        t = read_fields();
        u = read_fields();
        if (same(&t, &u))
            break;
    }
    if (t.month < 1 || t.month > 12 || t.day < 1 || t.day > 31)
        return 0; /* no clock, or its battery is empty */
    return days(t.year, t.month, t.day) * 86400 + t.hour * 3600 +
           t.minute * 60 + t.second;
}
