#define _GNU_SOURCE
#include "netns.h"
#include "report.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/netlink.h>
#include <linux/sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

void loopback_up(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || ioctl(fd, 0x8914 /* SIOCSIFFLAGS */, &request))
		fail(STEP_LOOPBACK, "lo");
	close(fd);
}

void netns_join(const struct plan *p)
{
	if (!p->netns[0])
		return;
	int fd = open(p->netns, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || syscall(SYS_setns, fd, CLONE_NEWNET))
		fail(STEP_NETNS, p->netns);
	close(fd);
}

static void bind_socket(int number, const char *kind, const char *address, const char *port)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)atoi(port)) };
	int is_v4 = inet_pton(AF_INET, address, &v4.sin_addr) == 1;
	if (!is_v4 && inet_pton(AF_INET6, address, &v6.sin6_addr) != 1) {
		errno = EINVAL;
		fail(STEP_NETNS, address);
	}
	int type = strcmp(kind, "tcp") == 0 ? SOCK_STREAM : SOCK_DGRAM;
	int fd = socket(is_v4 ? AF_INET : AF_INET6, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || bind(fd, is_v4 ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6, is_v4 ? sizeof v4 : sizeof v6) ||
	    dup3(fd, NETNS_SOCKETS + number, O_CLOEXEC) < 0)
		fail(STEP_NETNS, address);
	close(fd);
}

int netns_keep(int hold_fd, char **words)
{
	char byte;
	/* Nothing of the container runs here, and the engine is to take a descriptor. */
	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	prctl(PR_SET_PDEATHSIG, 9, 0, 0, 0);
	if (syscall(SYS_unshare, CLONE_NEWNET))
		fail(STEP_NETNS, NULL);
	loopback_up();
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	if (fd < 0)
		fail(STEP_NETNS, NULL);
	for (int i = 0; words[0] && words[1] && words[2]; i++, words += 3)
		bind_socket(i, words[0], words[1], words[2]);
	report(REPORT_STARTED, (uint32_t)fd, 0, NULL);
	while (read(hold_fd, &byte, 1) < 0 && errno == EINTR)
		;
	return 0;
}
