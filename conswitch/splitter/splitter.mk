# SPDX-License-Identifier: GPL-2.0-only
# nsplitd.  Included by ../Makefile.

ENGINE = $(addprefix splitter/,splitter.c client.c line.c control.c rsp.c \
	rsp-frame.c rsp-features.c telnet.c history.c log.c source.c tty.c \
	symbols.c symbols-find.c buildid.c http.c bytes.c) logwriter.c
ELFUTILS = $(shell pkg-config --libs libdw libelf)

$(O)/nsplitd: splitter/main.c $(ENGINE) $(CORE) $(HEADERS) | $(O)
	$(BUILD) $(CFLAGS) $(LDFLAGS) $(filter %.c,$^) -o $@ $(ELFUTILS)

# what the splitter parses, without its I/O
PARSERS = $(addprefix splitter/,rsp.c rsp-frame.c rsp-features.c telnet.c \
	history.c symbols.c symbols-find.c buildid.c source.c tty.c)

$(O)/unit-rsp: $(PARSERS) $(T)/unit/conswitch-rsp.c $(HEADERS) | $(O)
	$(BUILD) $(CHECKED) $(filter %.c,$^) -o $@ $(ELFUTILS)

$(O)/unit-embed: $(ENGINE) $(CORE) $(T)/unit/conswitch-embed.c $(HEADERS) | $(O)
	$(BUILD) $(CHECKED) $(filter %.c,$^) -o $@ $(ELFUTILS)

$(O)/fuzz-splitter: $(PARSERS) $(T)/fuzz/conswitch-splitter.c \
		$(T)/fuzz/conswitch-driver.c $(HEADERS) | $(O)
	$(BUILD) $(CHECKED) -O2 $(filter %.c,$^) -o $@ $(ELFUTILS)

$(O)/libfuzz-splitter: $(PARSERS) $(T)/fuzz/conswitch-splitter.c $(HEADERS) | $(O)
	clang $(WARN) -D_GNU_SOURCE -I. -Isplitter $(CHECKED) \
		-fsanitize=fuzzer $(filter %.c,$^) -o $@ $(ELFUTILS)

# the same program with every check on, for the tests
$(O)/nsplitd-checked: splitter/main.c $(ENGINE) $(CORE) $(HEADERS) | $(O)
	$(BUILD) $(CHECKED) $(filter %.c,$^) -o $@ $(ELFUTILS)

SPLITTER_SUITES = channels sources bulk gdb

# one suite of tests/splitter, with what it runs
$(SPLITTER_SUITES:%=suite-%): suite-%: $(O)/nsplitd $(O)/nsplitd-checked
	$(T)/splitter/$*

# xencons is tested here, as it is tested with the splitter
suite-xencons suite-servers: suite-%: $(O)/nsplitd-checked
	$(MAKE) -s -C ../tools/xencons build/xencons build/xencons-checked
	$(T)/splitter/$*

test-splitter: $(SPLITTER_SUITES:%=suite-%) suite-xencons suite-servers

splitter-nightly: $(O)/nsplitd $(O)/nsplitd-checked
	BULK_MIB=100 $(T)/splitter/bulk

bench: $(O)/nsplitd
	$(T)/splitter/bench

install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/man/man8
	install -m 755 $(O)/nsplitd $(DESTDIR)$(PREFIX)/bin/nsplitd
	install -m 644 ../docs/man/nsplitd.8 $(DESTDIR)$(PREFIX)/share/man/man8/
	install -d $(DESTDIR)$(PREFIX)/share/bash-completion/completions
	install -m 644 splitter/nsplitd.bash \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions/nsplitd
