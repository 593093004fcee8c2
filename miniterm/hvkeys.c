/* SPDX-License-Identifier: GPL-2.0-only */
/* Debug keys with the input switched there and back. */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>

#include "conswitch.h"
#include "hvkeys.h"

void hvkeys_init(struct hvkeys *k)
{
    memset(k, 0, sizeof(*k));
    k->owner = k->return_to = HVKEYS_UNKNOWN;
    k->switch_char = 1;
}

/* "... type 'CTRL-a' three times ..." names the switch character. */
static void learn_switch_char(struct hvkeys *k, const char *text, size_t len)
{
    static const char word[] = "CTRL-";
    const char *p = memmem(text, len, word, sizeof(word) - 1);
    char c;

    if (!p || p + sizeof(word) - 1 >= text + len)
        return;
    c = (char)(p[sizeof(word) - 1] | 0x20);
    if (c >= 'a' && c <= 'z')
        k->switch_char = (char)(c - 'a' + 1);
}

/* The message as Xen prints it today: "*** Serial input to DOM0 (type ...". */
static bool parse_todays(const char *text, size_t len, uint16_t *owner)
{
    static const char word[] = "*** Serial input to ";
    const char *p = memmem(text, len, word, sizeof(word) - 1);
    char name[16] = "";
    unsigned domain;

    if (!p)
        return false;
    p += sizeof(word) - 1;
    snprintf(name, sizeof(name), "%.*s", (int)(text + len - p), p);
    if (!strncmp(name, "Xen", 3))
        *owner = CS_OWNER_HV;
    else if (sscanf(name, "DOM%u", &domain) == 1 && domain < CS_OWNER_HV)
        *owner = (uint16_t)domain;
    else
        return false;
    return true;
}

/*
 * May be called for any line of any pane: only the two known forms of the
 * message change anything. In the midst of a switch the message is the answer
 * that go() waits for.
 */
void hvkeys_line(struct hvkeys *k, const char *text, size_t len)
{
    uint16_t owner;

    if (!cs_focus_parse(text, len, &owner) &&
        !parse_todays(text, len, &owner))
        return;
    learn_switch_char(k, text, len);
    k->owner = owner == CS_OWNER_HV ? HVKEYS_HV : owner;
    if (k->state == HVK_SWITCHING)
        k->state = HVK_GO;
    else if (k->state == HVK_BACK)
        k->deadline = 0;
}

/*
 * Silence after a key means that its output has ended: this is the only sign
 * there is.
 */
void hvkeys_heard(struct hvkeys *k, uint64_t now)
{
    k->quiet_since = now;
}

/*
 * Remembers where the input was; HVKEYS_UNKNOWN is resolved in go() by how
 * many switches it took to reach the hypervisor.
 */
static void start(struct hvkeys *k)
{
    k->state = HVK_GO;
    k->tries = 0;
    k->failed = false;
    k->return_to = k->owner;
}

/*
 * Keys that are wished for during a run join it: one switch serves them all.
 */
bool hvkeys_press(struct hvkeys *k, const char *keys)
{
    size_t n = strlen(keys);

    if (k->nr_keys + n > sizeof(k->keys) || k->stay)
        return false;
    memcpy(k->keys + k->nr_keys, keys, n);
    k->nr_keys += (unsigned)n;
    if (k->state == HVK_IDLE)
        start(k);
    else if (k->state == HVK_OUTPUT || k->state == HVK_BACK)
        k->state = HVK_GO;
    return true;
}

/* Only from rest, so that a person's switch and a key's do not mix. */
bool hvkeys_switch(struct hvkeys *k)
{
    if (k->state != HVK_IDLE)
        return false;
    start(k);
    k->stay = true;
    return true;
}

/*
 * Three in a row, in one piece: another byte between them would reset the
 * hypervisor's count.
 */
static size_t type_switch(struct hvkeys *k, uint64_t now, char *out)
{
    memset(out, k->switch_char, 3);
    k->deadline = now + HVKEYS_ANSWER_US;
    k->tries++;
    return 3;
}

/*
 * The keys are dropped, not kept: typed into the wrong console later, they
 * would do harm.
 */
static void give_up(struct hvkeys *k)
{
    k->state = HVK_IDLE;
    k->nr_keys = 0;
    k->stay = false;
    k->failed = true;
}

/*
 * The core: press if the hypervisor has the input, else type the switch once
 * more. Each round through HVK_SWITCHING is one owner further in the
 * rotation, so CS_MAX_OWNERS rounds have seen them all.
 */
static size_t go(struct hvkeys *k, uint64_t now, char out[64])
{
    size_t n = k->nr_keys;

    if (k->stay && k->tries) {
        k->stay = false;
        k->state = HVK_IDLE;
        return 0;
    }
    if (!k->stay && k->owner == HVKEYS_HV) {
        /*
         * Nobody had said who has the input.  One switch reached the
         * hypervisor, so it was not there before; two went full circle.
         */
        if (k->return_to == HVKEYS_UNKNOWN)
            k->return_to = k->tries == 1 ? 0 : HVKEYS_HV;
        memcpy(out, k->keys, n);
        k->nr_keys = 0;
        k->state = HVK_OUTPUT;
        k->quiet_since = now;
        k->give_up = now + HVKEYS_LONGEST_US;
        return n;
    }
    if (k->tries > CS_MAX_OWNERS) {
        give_up(k);
        return 0;
    }
    k->state = HVK_SWITCHING;
    return type_switch(k, now, out);
}

/* The answer seems complete: hand the input back where it was. */
static size_t after_output(struct hvkeys *k, uint64_t now, char *out)
{
    if (now < k->quiet_since + HVKEYS_QUIET_US && now < k->give_up)
        return 0;
    if (k->return_to == HVKEYS_HV) {
        k->state = HVK_IDLE;
        return 0;
    }
    k->state = HVK_BACK;
    k->tries = 0;
    return type_switch(k, now, out);
}

/*
 * Ends when the owner from before is reached, when a switch stays without an
 * answer, or after a full rotation (that domain may be gone).
 */
static size_t going_back(struct hvkeys *k, uint64_t now, char *out)
{
    if (k->owner == k->return_to ||
        (k->deadline && now >= k->deadline)) {
        k->failed = k->owner != k->return_to;
        k->state = HVK_IDLE;
        return 0;
    }
    if (k->deadline)
        return 0;
    if (k->tries > CS_MAX_OWNERS) {
        give_up(k);
        return 0;
    }
    return type_switch(k, now, out);
}

static void lower(uint64_t *wait_us, uint64_t now, uint64_t when)
{
    uint64_t left = when > now ? when - now : 0;

    if (*wait_us > left)
        *wait_us = left;
}

/*
 * To be asked whenever something was heard and when *wait_us has passed.
 * Never types two things at once: each waits for what came of the other.
 */
size_t hvkeys_poll(struct hvkeys *k, uint64_t now, char out[64],
                   uint64_t *wait_us)
{
    size_t n = 0;

    switch (k->state) {
    case HVK_IDLE: break;
    case HVK_GO: n = go(k, now, out); break;
    case HVK_SWITCHING:
        if (now >= k->deadline)
            give_up(k);
        break;
    case HVK_OUTPUT: n = after_output(k, now, out); break;
    case HVK_BACK: n = going_back(k, now, out); break;
    }
    if (k->state == HVK_SWITCHING || k->state == HVK_BACK)
        lower(wait_us, now, k->deadline);
    else if (k->state == HVK_OUTPUT)
        lower(wait_us, now, k->quiet_since + HVKEYS_QUIET_US);
    else if (k->state == HVK_GO)
        *wait_us = 0;
    return n;
}
