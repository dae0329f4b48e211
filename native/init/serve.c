#define _GNU_SOURCE
#include "serve.h"
#include "container.h"
#include "plan.h"
#include "report.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MAX_DESCRIPTORS 253 /* SCM_MAX_FD of the kernel */
#define STATUS 4
#define FIRST 5 /* stdin, stdout, stderr, plan, status pipe */

struct request {
	uint32_t magic; /* PLAN_MAGIC */
	uint32_t namespaces; /* CLONE_NEW* */
	char cgroup[4096]; /* directory of the v2 group to be cloned into, or "" */
};

struct incoming {
	struct request request;
	ssize_t size;
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
	return in->size = size;
}

/* A container that runs: what is open here of it, until its PID 1 has ended. */
struct running {
	int pid; /* a pidfd of PID 1 */
	int status; /* the engine sees the container's end when this is closed */
	int exec; /* a byte when PID 1 is about to become the program, the end when it has; then -1 */
	int reached;
};

static struct running *containers;
static size_t count, room;

static void close_container(const struct running *c)
{
	if (c->exec >= 0)
		close(c->exec);
	close(c->status);
	close(c->pid);
}

static int reserve(void)
{
	if (count < room)
		return 0;
	struct running *more = realloc(containers, (2 * room + 16) * sizeof *more);
	if (!more)
		return -1;
	containers = more;
	room = 2 * room + 16;
	return 0;
}

static int open_group(const char *path)
{
	int group = path[0] ? open(path, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
	if (path[0] && group < 0)
		report(REPORT_ERROR, STEP_CGROUP, (uint32_t)errno, path);
	return group;
}

/* In the child: nothing of the engine and of other containers, whose ends nobody would see otherwise. */
static void become_container(struct handed *handed, int socket, int exec[2])
{
	close(socket);
	close(exec[0]);
	for (size_t at = 0; at < count; at++)
		close_container(&containers[at]);
	handed->exec = exec[1];
	container_main(handed);
}

/* True when there is a container: its status pipe stays open here. */
static int start_container(int socket, const struct incoming *in)
{
	const struct request *r = &in->request;
	struct handed handed = { .plan = in->fds[3], .status = in->fds[STATUS], .rest = in->fds + FIRST };
	int exec[2] = { -1, -1 }, pidfd = -1;
	struct clone_args args = { .flags = (r->namespaces & ~(uint64_t)CLONE_NEWCGROUP) | CLONE_PARENT | CLONE_PIDFD,
				   .pidfd = (uint64_t)(uintptr_t)&pidfd };
	memcpy(handed.stdio, in->fds, sizeof handed.stdio);
	handed.new_cgroup_namespace = (r->namespaces & CLONE_NEWCGROUP) != 0;
	report_fd = handed.status;
	int group = open_group(r->cgroup);
	if (r->cgroup[0] && group < 0)
		return 0;
	if (group >= 0) {
		/* Born in the group: moving a process there later makes the kernel wait for all processors. */
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)group;
	}
	long pid = reserve() || pipe2(exec, O_CLOEXEC | O_NONBLOCK) ? -1 : syscall(SYS_clone3, &args, sizeof args);
	if (pid == 0) {
		if (group >= 0)
			close(group);
		become_container(&handed, socket, exec);
	}
	if (pid < 0)
		report(REPORT_ERROR, STEP_CLONE, (uint32_t)errno, NULL);
	else
		report(REPORT_PID, (uint32_t)pid, 0, NULL);
	if (group >= 0)
		close(group);
	if (exec[1] >= 0)
		close(exec[1]);
	if (pid > 0)
		containers[count++] = (struct running){ pidfd, handed.status, exec[0], 0 };
	else if (exec[0] >= 0)
		close(exec[0]);
	return pid > 0;
}

/* The program runs when the pipe that it does not inherit has ended, if PID 1 came as far as that. */
static void see_exec(struct running *c)
{
	char byte;
	ssize_t size = -1;
	while (c->exec >= 0 && ((size = read(c->exec, &byte, 1)) == 1 || (size < 0 && errno == EINTR)))
		c->reached |= size == 1;
	if (c->exec < 0 || size < 0)
		return;
	report_fd = c->status;
	if (c->reached)
		report(REPORT_STARTED, 0, 0, NULL);
	close(c->exec);
	c->exec = -1;
}

/* The engine is the parent of all of them and takes their status; here they are only watched. */
static void watch(const struct pollfd *ready, size_t watched)
{
	/* From the last one on: what takes the place of one that has ended was looked at already. */
	for (size_t at = watched; at-- > 0;) {
		int ended = ready[2 * at].revents != 0;
		if (ended || ready[2 * at + 1].revents)
			see_exec(&containers[at]);
		if (ended) {
			close_container(&containers[at]);
			containers[at] = containers[--count];
		}
	}
}

/* Until the engine asks for something, or is gone. */
static int wait_for_engine(int socket)
{
	for (;;) {
		size_t watched = count;
		struct pollfd *set = calloc(2 * watched + 1, sizeof *set);
		if (!set)
			return -1;
		for (size_t at = 0; at < watched; at++) {
			set[2 * at] = (struct pollfd){ containers[at].pid, POLLIN, 0 };
			set[2 * at + 1] = (struct pollfd){ containers[at].exec, POLLIN, 0 };
		}
		set[2 * watched] = (struct pollfd){ socket, POLLIN, 0 };
		int found = poll(set, 2 * watched + 1, -1), failure = errno, asked = set[2 * watched].revents != 0;
		if (found > 0)
			watch(set, watched);
		free(set);
		if (found < 0 && failure != EINTR)
			return -1;
		if (asked)
			return 0;
	}
}

int serve(int socket)
{
	static struct incoming in;
	sigset_t all;
	sigfillset(&all);
	/* What a terminal sends to the whole group is the engine's to handle. */
	sigprocmask(SIG_SETMASK, &all, NULL);
	/* SIGKILL to the engine's group (timeout, CI services) must leave somebody who ends its containers. */
	setsid();
	if (chdir("/"))
		return 1;
	while (wait_for_engine(socket) == 0 && receive(socket, &in) > 0) {
		int kept = in.size >= 8 && in.request.magic == PLAN_MAGIC && in.count >= FIRST && start_container(socket, &in);
		for (int i = 0; i < in.count; i++)
			if (!kept || i != STATUS)
				close(in.fds[i]);
	}
	/* However the engine ended, no container outlives it: a program can undo PR_SET_PDEATHSIG, but not this. */
	for (size_t at = 0; at < count; at++)
		syscall(SYS_pidfd_send_signal, containers[at].pid, SIGKILL, NULL, 0);
	return 0;
}
