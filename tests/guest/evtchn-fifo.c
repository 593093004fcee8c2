/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * FIFO event channels.  The control block says which of 16 queues have
 * events; each port is a word with PENDING, MASKED, LINKED and the next port.
 */
#include "guest.h"

static volatile struct evtchn_fifo_control_block *control;
static volatile u32 *words;
static volatile u32 *array[EVTCHN_FIFO_NR_CHANNELS / 1024]; /* its pages */

static long init_control(u64 gfn, u32 offset, u32 vcpu, uint8_t *link_bits)
{
    struct evtchn_init_control c = { .control_gfn = gfn,
                                     .offset = offset,
                                     .vcpu = vcpu };
    long rc = hc_event_channel_op(EVTCHNOP_init_control, &c);

    if (link_bits)
        *link_bits = c.link_bits;
    return rc;
}

static long expand_array(u64 gfn)
{
    struct evtchn_expand_array x = { .array_gfn = gfn };
    return hc_event_channel_op(EVTCHNOP_expand_array, &x);
}

static long set_priority(evtchn_port_t port, u32 priority)
{
    struct evtchn_set_priority p = { .port = port, .priority = priority };
    return hc_event_channel_op(EVTCHNOP_set_priority, &p);
}

TEST(init_control_bad)
{
    ulong gfn = mfn_of(page_get());

    CHECK_ERR(init_control(gfn, 0, 99, NULL), -XEN_ENOENT);
    CHECK_ERR(init_control(gfn, 4096, 0, NULL), -XEN_EINVAL);
    CHECK_ERR(init_control(gfn, 4096 - 8, 0, NULL), -XEN_EINVAL);
    CHECK_ERR(init_control(gfn, 4, 0, NULL), -XEN_EINVAL);
    CHECK_ERR(init_control(mfn_not_ours(), 0, 0, NULL), -XEN_EINVAL);
    CHECK_ERR(init_control(~0UL, 0, 0, NULL), -XEN_EINVAL);
    CHECK_ERR(init_control(mfn_of((void *)start_info->pt_base), 0, 0, NULL),
              -XEN_EINVAL);
    CHECK_BAD_POINTERS(sizeof(struct evtchn_init_control), -XEN_EFAULT,
                       hc_event_channel_op(EVTCHNOP_init_control, bad));
}

TEST(init_control)
{
    void *page = page_get();
    uint8_t link_bits = 0;

    control = page;
    REQUIRE(CHECK_OK(init_control(mfn_of(page), 0, 0, &link_bits)));
    CHECK_EQ(link_bits, EVTCHN_FIFO_LINK_BITS);
    CHECK_ERR(init_control(mfn_of(page_get()), 0, 0, NULL), -XEN_EINVAL);
}

TEST(expand_array)
{
    void *page = page_get();

    words = array[0] = page;
    CHECK_ERR(expand_array(mfn_not_ours()), -XEN_EINVAL);
    CHECK_ERR(expand_array(mfn_of((void *)start_info->pt_base)), -XEN_EINVAL);
    REQUIRE(CHECK_OK(expand_array(mfn_of(page))));
    CHECK_BAD_POINTERS(sizeof(struct evtchn_expand_array), -XEN_EFAULT,
                       hc_event_channel_op(EVTCHNOP_expand_array, bad));
}

/* Takes the head of a queue as a kernel would. */
static u32 take(unsigned queue)
{
    u32 port = control->head[queue];

    control->head[queue] = words[port] & EVTCHN_FIFO_LINK_MASK;
    words[port] &= ~((1u << EVTCHN_FIFO_PENDING) | (1u << EVTCHN_FIFO_LINKED) |
                     EVTCHN_FIFO_LINK_MASK);
    return port;
}

static void queues_clear(void)
{
    control->ready = 0;
    vcpu0()->evtchn_upcall_pending = 0;
}

TEST(event_is_queued)
{
    evtchn_port_t port = (evtchn_port_t)port_ipi(0);

    words[port] &= ~(1u << EVTCHN_FIFO_MASKED);
    CHECK_OK(port_send(port));
    CHECK(words[port] & (1u << EVTCHN_FIFO_PENDING));
    CHECK(words[port] & (1u << EVTCHN_FIFO_LINKED));
    CHECK_EQ(control->ready, 1u << EVTCHN_FIFO_PRIORITY_DEFAULT);
    CHECK_EQ(control->head[EVTCHN_FIFO_PRIORITY_DEFAULT], port);
    CHECK_EQ(vcpu0()->evtchn_upcall_pending, 1);
    CHECK_EQ(take(EVTCHN_FIFO_PRIORITY_DEFAULT), port);
    queues_clear();
    CHECK_OK(port_close(port));
}

TEST(queue_is_in_order)
{
    evtchn_port_t port[3];

    for (unsigned i = 0; i < 3; i++) {
        port[i] = (evtchn_port_t)port_ipi(0);
        words[port[i]] &= ~(1u << EVTCHN_FIFO_MASKED);
    }
    CHECK_OK(port_send(port[2]));
    CHECK_OK(port_send(port[0]));
    CHECK_OK(port_send(port[1]));
    CHECK_OK(port_send(port[0])); /* pending already: no second time */
    CHECK_EQ(take(EVTCHN_FIFO_PRIORITY_DEFAULT), port[2]);
    CHECK_EQ(take(EVTCHN_FIFO_PRIORITY_DEFAULT), port[0]);
    CHECK_EQ(take(EVTCHN_FIFO_PRIORITY_DEFAULT), port[1]);
    CHECK_EQ(control->head[EVTCHN_FIFO_PRIORITY_DEFAULT], 0);
    queues_clear();
    for (unsigned i = 0; i < 3; i++)
        CHECK_OK(port_close(port[i]));
}

TEST(set_priority)
{
    evtchn_port_t port = (evtchn_port_t)port_ipi(0);

    words[port] &= ~(1u << EVTCHN_FIFO_MASKED);
    CHECK_OK(set_priority(port, EVTCHN_FIFO_PRIORITY_MAX));
    CHECK_OK(port_send(port));
    CHECK_EQ(control->ready, 1u << EVTCHN_FIFO_PRIORITY_MAX);
    CHECK_EQ(take(EVTCHN_FIFO_PRIORITY_MAX), port);
    queues_clear();
    CHECK_OK(set_priority(port, EVTCHN_FIFO_PRIORITY_MIN));
    CHECK_OK(port_send(port));
    CHECK_EQ(control->ready, 1u << EVTCHN_FIFO_PRIORITY_MIN);
    CHECK_EQ(take(EVTCHN_FIFO_PRIORITY_MIN), port);
    queues_clear();
    CHECK_ERR(set_priority(port, EVTCHN_FIFO_PRIORITY_MIN + 1), -XEN_EINVAL);
    CHECK_ERR(set_priority(900, 0), -XEN_EINVAL);
    CHECK_OK(port_close(port));
    CHECK_BAD_POINTERS(sizeof(struct evtchn_set_priority), -XEN_EFAULT,
                       hc_event_channel_op(EVTCHNOP_set_priority, bad));
}

TEST(masked_port)
{
    evtchn_port_t port = (evtchn_port_t)port_ipi(0);
    struct evtchn_unmask u = { .port = port };

    words[port] |= 1u << EVTCHN_FIFO_MASKED;
    CHECK_OK(port_send(port));
    CHECK(words[port] & (1u << EVTCHN_FIFO_PENDING));
    CHECK_EQ(control->ready, 0);
    CHECK_EQ(vcpu0()->evtchn_upcall_pending, 0);
    CHECK_OK(hc_event_channel_op(EVTCHNOP_unmask, &u));
    CHECK_EQ(words[port] & (1u << EVTCHN_FIFO_MASKED), 0);
    CHECK_EQ(control->ready, 1u << EVTCHN_FIFO_PRIORITY_DEFAULT);
    CHECK_EQ(take(EVTCHN_FIFO_PRIORITY_DEFAULT), port);
    queues_clear();
    CHECK_OK(port_close(port));
}

/* What the kernel writes into the words cannot lead the hypervisor astray. */
TEST(corrupt_words)
{
    evtchn_port_t a = (evtchn_port_t)port_ipi(0);
    evtchn_port_t b = (evtchn_port_t)port_ipi(0);

    words[a] = (1u << EVTCHN_FIFO_LINKED) | EVTCHN_FIFO_LINK_MASK;
    words[b] = (1u << EVTCHN_FIFO_LINKED) | b;
    control->head[EVTCHN_FIFO_PRIORITY_DEFAULT] = 0x1ffff;
    CHECK_OK(port_send(a));
    CHECK_OK(port_send(b));
    words[a] = words[b] = 0xffffffffu;
    CHECK_OK(port_send(a));
    words[a] = words[b] = 0;
    CHECK_OK(port_send(b));
    control->head[EVTCHN_FIFO_PRIORITY_DEFAULT] = 0;
    words[a] = words[b] = 0;
    queues_clear();
    CHECK_OK(port_close(a));
    CHECK_OK(port_close(b));
}

/*
 * The array holds 1024 words a page.  A port whose word is not there yet keeps
 * its event until it is.
 */
TEST(port_beyond_the_array)
{
    evtchn_port_t port = 0;

    words = NULL;
    while (port < 1024)
        port = (evtchn_port_t)port_ipi(0);
    CHECK_OK(port_send(port));
    CHECK_EQ(control->ready, 0);
    words = array[1] = page_get();
    CHECK_OK(expand_array(mfn_of(words)));
    CHECK_EQ(words[port - 1024] & (1u << EVTCHN_FIFO_PENDING),
             1u << EVTCHN_FIFO_PENDING);
    queues_clear();
}

TEST(array_has_an_end)
{
    unsigned n = 2;

    for (; n < ARRAY_SIZE(array); n++) {
        array[n] = page_get();
        REQUIRE(CHECK_OK(expand_array(mfn_of(array[n]))));
    }
    CHECK_ERR(expand_array(mfn_of(page_get())), -XEN_ENOSPC);
}

/* Marks the words of the ports of pages 2 to 8 as in a queue, or not. */
static void link_words(u32 bit)
{
    for (unsigned page = 2; page < 9; page++)
        for (unsigned i = 0; i < 1024; i++)
            array[page][i] = bit;
}

/*
 * A port that a queue still links to is not given out, and to pass thousands
 * of them, or of used ones, is no failure.  (Ports to 1024 are in use.)  Domain
 * 0 alone may have so many.
 */
TEST(free_port_far_away)
{
    evtchn_port_t port = 0;

    if (on_reference)
        SKIP("the reference does not ask whether a port never used is linked");
    if (!is_initdomain())
        SKIP("this domain was made with 4096 ports at most");
    link_words(1u << EVTCHN_FIFO_LINKED);
    for (unsigned i = 1025; i < 2048; i++)
        port = (evtchn_port_t)port_ipi(0);
    CHECK_EQ(port, 2047);
    CHECK_EQ(port_ipi(0), 9 * 1024);
    CHECK_EQ(port_ipi(0), 9 * 1024 + 1);
    link_words(0);
    for (unsigned i = 2048; i < 9 * 1024; i++)
        port = (evtchn_port_t)port_ipi(0);
    CHECK_EQ(port, 9 * 1024 - 1);
    CHECK_OK(port_close(7));
    CHECK_EQ(port_ipi(0), 7);
    CHECK_EQ(port_ipi(0), 9 * 1024 + 2);
}

/* Back to two levels. */
TEST(reset)
{
    struct evtchn_reset r = { .dom = DOMID_SELF };
    evtchn_port_t port;

    CHECK_OK(hc_event_channel_op(EVTCHNOP_reset, &r));
    port = (evtchn_port_t)port_ipi(0);
    CHECK_OK(port_send(port));
    CHECK(port_pending(port));
    port_forget(port);
    CHECK_OK(port_close(port));
}
