# SPDX-License-Identifier: GPL-2.0-only
# nsplitd.  Included by ../Makefile.

ENGINE = $(addprefix splitter/,splitter.c client.c line.c control.c rsp.c \
	rsp-frame.c rsp-features.c telnet.c history.c log.c source.c tty.c \
	symbols.c bytes.c)

$(O)/nsplitd: splitter/main.c $(ENGINE) $(CORE) $(HEADERS) | $(O)
	$(BUILD) $(CFLAGS) $(LDFLAGS) $(filter %.c,$^) -o $@
