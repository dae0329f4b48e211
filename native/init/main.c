/*
 * tsbuild-init MODE COUNT: the executable that makes containers. Started by native/; no policy, no parsing of images. It
 * has COUNT descriptors. MODE "serve": see serve.h; 3 is its socket. "netns", with more words: see netns.h; 3 is held, 4
 * the status pipe. "relay": see relay.h; what else it has is closed when it ends.
 * tsbuild-init userns ...: see userns.h.
 */
#define _GNU_SOURCE
#include "netns.h"
#include "relay.h"
#include "report.h"
#include "serve.h"
#include "userns.h"
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* By the kernel's own call: the C library would leave out two signals of its own, which posix_spawn has ignored. */
static void reset_signals(void)
{
	struct { void *handler; unsigned long flags; void *restorer; uint64_t mask; } deflt = { 0 };
	for (int signal = 1; signal < 65; signal++)
		syscall(SYS_rt_sigaction, signal, &deflt, NULL, 8);
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

int main(int argc, char **argv)
{
	if (argc >= 7 && strcmp(argv[1], "userns") == 0)
		return userns_exec(argv + 2);
	if (argc < 3)
		return 2;
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	prctl(PR_SET_NAME, "tsbuild-init", 0, 0, 0); /* not the number of the descriptor it is run by */
	if (syscall(SYS_close_range, (unsigned)atoi(argv[2]), ~0u, 0))
		return 2;
	reset_signals();
	if (strcmp(argv[1], "serve") == 0)
		return serve(3);
	if (strcmp(argv[1], "relay") == 0)
		return relay();
	report_fd = 4;
	return strcmp(argv[1], "netns") == 0 ? netns_keep(3, argv + 3) : 2;
}
