/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Debug keys: pressed in the hypervisor wherever the input now goes.
 *
 * Follows the hypervisor's own messages ("*** Serial input ...") to know who
 * has the input; to press a key it types the switch character three times as
 * often as needed, waits for the message each time, types the key, waits for
 * the output to end and gives the input back.
 *
 * Sans I/O and without a clock: text, times in microseconds and wishes go in,
 * bytes to send come out.
 */
#ifndef MINITERM_HVKEYS_H
#define MINITERM_HVKEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HVKEYS_UNKNOWN (-2)
#define HVKEYS_HV (-1)      /* else a domain's number */
#define HVKEYS_ANSWER_US 2000000 /* for the message after a switch */
#define HVKEYS_QUIET_US 300000   /* output counts as ended after that */
#define HVKEYS_LONGEST_US 30000000

enum hvkeys_state { HVK_IDLE, HVK_GO, HVK_SWITCHING, HVK_OUTPUT, HVK_BACK };

struct hvkeys {
    int owner;            /* who has the input now */
    char switch_char;     /* as a control code */
    enum hvkeys_state state;
    int return_to;        /* owner before we switched */
    unsigned tries, nr_keys;
    char keys[32];
    uint64_t deadline, quiet_since, give_up;
    bool failed;          /* no answer to the last switch; caller clears */
    bool stay;            /* wish: only switch, to the other side */
};

void hvkeys_init(struct hvkeys *k);

/* A complete line of console output of anyone, without its LF. */
void hvkeys_line(struct hvkeys *k, const char *text, size_t len);
/* Something arrived at @now. */
void hvkeys_heard(struct hvkeys *k, uint64_t now);

/* Wish for @keys to be pressed; false when there is no room now. */
bool hvkeys_press(struct hvkeys *k, const char *keys);

/* Wish for the input to go to the next owner. */
bool hvkeys_switch(struct hvkeys *k);

static inline bool hvkeys_busy(const struct hvkeys *k)
{
    return k->state != HVK_IDLE;
}

/*
 * What to type now: bytes into out[64], the count returned.  *wait_us is
 * lowered to when to ask again.
 */
size_t hvkeys_poll(struct hvkeys *k, uint64_t now, char out[64],
                   uint64_t *wait_us);

#endif
