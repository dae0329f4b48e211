#define _GNU_SOURCE
#include "serve.h"
#include "container.h"
#include "plan.h"
#include "report.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MAX_DESCRIPTORS 253 /* SCM_MAX_FD of the kernel */
#define FIRST 5 /* stdin, stdout, stderr, plan, status pipe */

struct request {
	uint32_t magic; /* PLAN_MAGIC */
	uint32_t namespaces; /* CLONE_NEW* */
	char cgroup[4096]; /* directory of the v2 group to be cloned into, or "" */
};

struct incoming {
	struct request request;
	int fds[MAX_DESCRIPTORS], count;
};

/* The size of the message; 0 when the engine has closed its end. */
static ssize_t receive(int socket, struct incoming *in)
{
	char control[CMSG_SPACE(MAX_DESCRIPTORS * sizeof(int))];
	struct iovec data = { &in->request, sizeof in->request - 1 };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
	ssize_t size;
	do
		size = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
	while (size < 0 && errno == EINTR);
	in->count = 0;
	struct cmsghdr *header = size > 0 ? CMSG_FIRSTHDR(&message) : NULL;
	if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
		in->count = (int)((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		memcpy(in->fds, CMSG_DATA(header), (size_t)in->count * sizeof(int));
	}
	if (size >= 0)
		((char *)&in->request)[size] = '\0';
	return size;
}

static void start_container(int socket, const struct incoming *in)
{
	const struct request *r = &in->request;
	struct handed handed = { .plan = in->fds[3], .status = in->fds[4], .rest = in->fds + FIRST };
	struct clone_args args = { .flags = (r->namespaces & ~(uint64_t)CLONE_NEWCGROUP) | CLONE_PARENT };
	memcpy(handed.stdio, in->fds, sizeof handed.stdio);
	handed.new_cgroup_namespace = (r->namespaces & CLONE_NEWCGROUP) != 0;
	report_fd = handed.status;
	int group = -1;
	if (r->cgroup[0]) {
		/* Born in the group: moving a process there later makes the kernel wait for all processors. */
		group = open(r->cgroup, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (group < 0) {
			report(REPORT_ERROR, STEP_CGROUP, (uint32_t)errno, r->cgroup);
			return;
		}
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)group;
	}
	long pid = syscall(SYS_clone3, &args, sizeof args);
	if (pid == 0) {
		close(socket);
		if (group >= 0)
			close(group);
		container_main(&handed);
	}
	if (pid < 0)
		report(REPORT_ERROR, STEP_CLONE, (uint32_t)errno, NULL);
	else
		report(REPORT_PID, (uint32_t)pid, 0, NULL);
	if (group >= 0)
		close(group);
}

int serve(int socket)
{
	static struct incoming in;
	sigset_t all;
	sigfillset(&all);
	/* What a terminal sends to the whole group is the engine's to handle. */
	sigprocmask(SIG_SETMASK, &all, NULL);
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (chdir("/"))
		return 1;
	for (ssize_t size; (size = receive(socket, &in)) > 0;) {
		if (size >= 8 && in.request.magic == PLAN_MAGIC && in.count >= FIRST)
			start_container(socket, &in);
		for (int i = 0; i < in.count; i++)
			close(in.fds[i]);
	}
	return 0;
}
