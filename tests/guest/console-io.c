/* SPDX-License-Identifier: GPL-2.0-only */
/* console_io.  What is written ends up on the line the runner reads. */
#include "guest.h"

TEST(console_write)
{
    static const char text[] = "some text for console_write\n";

    CHECK_OK(hc_console_io(CONSOLEIO_write, sizeof(text) - 1, text));
    CHECK_OK(hc_console_io(CONSOLEIO_write, 0, text));
    /* Nothing is read where nothing is asked for. */
    CHECK_OK(hc_console_io(CONSOLEIO_write, 0, (void *)UNMAPPED_VA));
}

/* More than any buffer of the hypervisor's, in pieces of its own choosing. */
TEST(console_write_long)
{
    char *text = pages_get(2);

    for (unsigned i = 0; i < 2 * PAGE_SIZE; i++)
        text[i] = i % 64 == 63 ? '\n' : '.';
    CHECK_OK(hc_console_io(CONSOLEIO_write, 2 * PAGE_SIZE, text));
}

TEST(console_write_any_byte)
{
    static const char text[] = { '\0', 1,          8,          27,
                                 127,  (char)0x80, (char)0xff, '\n' };

    CHECK_OK(hc_console_io(CONSOLEIO_write, sizeof(text), text));
}

TEST(console_write_bad_pointer)
{
    memset(edge(4), '.', 4);
    CHECK_BAD_POINTERS(8, -XEN_EFAULT, hc_console_io(CONSOLEIO_write, 8, bad));
    print("\n");
}

TEST(console_read_nothing)
{
    char buf[16];

    CHECK_EQ(hc_console_io(CONSOLEIO_read, sizeof(buf), buf), 0);
    CHECK_EQ(hc_console_io(CONSOLEIO_read, 0, buf), 0);
}

/* A count beyond any buffer: a write gets as far as the memory goes. */
TEST(console_count_out_of_range)
{
    char *text = edge(2);

    text[0] = '.';
    text[1] = '\n';
    CHECK_ERR(hc_console_io(CONSOLEIO_write, 0x80000000L, text), -XEN_EFAULT);
    CHECK_ERR(hc_console_io(CONSOLEIO_read, 0x80000000L, text), -XEN_E2BIG);
    CHECK_ERR(hc_console_io(CONSOLEIO_read, 0xffffffffL, text), -XEN_E2BIG);
}

TEST(console_unknown)
{
    CHECK_ERR(hc_console_io(2, 0, NULL), -XEN_ENOSYS);
    CHECK_ERR(hc_console_io(~0u, 0, NULL), -XEN_ENOSYS);
}
