#include "report.h"
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

int report_fd = -1;
volatile int failed;

void report(uint32_t kind, uint32_t a, uint32_t b, const char *text)
{
	char buffer[PIPE_BUF];
	const size_t room = sizeof buffer - sizeof(struct report);
	size_t size = text ? strlen(text) : 0;
	if (size > room)
		size = room;
	struct report r = { kind, a, b, (uint32_t)size };
	memcpy(buffer, &r, sizeof r);
	if (size)
		memcpy(buffer + sizeof r, text, size);
	/* At most PIPE_BUF: written whole or not at all. */
	while (write(report_fd, buffer, sizeof r + size) < 0 && errno == EINTR)
		;
}

void die_with_engine(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	/* The engine may have died before that: then nobody reads the pipe. */
	struct pollfd engine = { .fd = report_fd };
	if (poll(&engine, 1, 0) != 0)
		_exit(1);
}

void fail(enum step step, const char *path)
{
	report(REPORT_ERROR, step, (uint32_t)errno, path);
	failed = 1;
	_exit(1);
}
