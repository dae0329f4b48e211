/*
 * Between the caller's standard streams and a container's pipes: a container that had the caller's own descriptors could
 * open the files behind them anew by /proc/self/fd, for reading what is only written or for writing what is only read.
 */
#define _GNU_SOURCE
#include "relay.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#define CHUNK (1 << 16)

/* The caller's descriptors may be non-blocking, and that cannot be changed: others have them too. */
static void wait_for(int fd, short what)
{
	struct pollfd one = { fd, what, 0 };
	poll(&one, 1, -1);
}

static int write_all(const char *data, size_t size)
{
	while (size > 0) {
		ssize_t done = write(1, data, size);
		if (done >= 0) {
			data += done;
			size -= (size_t)done;
		} else if (errno == EAGAIN) {
			wait_for(1, POLLOUT);
		} else if (errno != EINTR) {
			return errno;
		}
	}
	return 0;
}

/* As it must be where the kernel does not splice: a file that is appended to, some terminals and devices. */
static int copy(void)
{
	static char buffer[CHUNK];
	for (;;) {
		ssize_t size = read(0, buffer, sizeof buffer);
		if (size < 0 && errno == EAGAIN)
			wait_for(0, POLLIN);
		else if (size < 0 && errno != EINTR)
			return 0; /* a terminal that has hung up, a directory: the program is told the end */
		else if (size == 0)
			return 0;
		int failure = size > 0 ? write_all(buffer, (size_t)size) : 0;
		if (failure)
			return failure;
	}
}

int relay(void)
{
	/* What a terminal sends to the whole group is for the program; what it still has to say is not to be lost. */
	for (const int *one = (const int[]){ SIGINT, SIGQUIT, SIGHUP, SIGTERM, SIGPIPE, SIGUSR1, SIGUSR2, 0 }; *one; one++)
		signal(*one, SIG_IGN);
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	for (;;) {
		wait_for(0, POLLIN);
		ssize_t size = splice(0, NULL, 1, NULL, CHUNK, SPLICE_F_MOVE);
		if (size == 0)
			return 0;
		if (size > 0 || errno == EINTR)
			continue;
		if (errno == EAGAIN)
			wait_for(1, POLLOUT);
		else if (errno == EPIPE || errno == ENOSPC || errno == EDQUOT || errno == EFBIG)
			return errno;
		else
			return copy();
	}
}
