/* PID 1 of a container: makes the root and becomes the program, or an init that starts it, forwards signals and reaps. */
#define _GNU_SOURCE
#include "container.h"
#include "capabilities.h"
#include "dev.h"
#include "netns.h"
#include "plan.h"
#include "program.h"
#include "report.h"
#include "rootfs.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

static void join_cgroups(const struct plan *p)
{
	for (uint32_t i = 0; i < p->cgroup_procs.count; i++) {
		int fd = open(p->cgroup_procs.items[i], O_WRONLY | O_CLOEXEC);
		if (fd < 0 || write(fd, "0", 1) != 1)
			fail(STEP_CGROUP, p->cgroup_procs.items[i]);
		close(fd);
	}
}

/* Forwards signals to the program and reaps until it has ended; then nothing may be left. */
static int reap(pid_t program, const sigset_t *all)
{
	for (;;) {
		siginfo_t info;
		int status;
		int signal = sigwaitinfo(all, &info);
		if (signal > 0 && signal != SIGCHLD)
			kill(program, signal);
		for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;)
			if (pid == program)
				return status;
	}
}

static void kill_rest(void)
{
	kill(-1, SIGKILL);
	while (waitpid(-1, NULL, __WALL) > 0 || errno == EINTR)
		;
}

/* The engine's end of the terminal: made in the container's devpts, used outside. */
static void send_terminal(int terminal_socket)
{
	char byte = 0, control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec data = { &byte, 1 };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &terminal_master, sizeof(int));
	if (sendmsg(terminal_socket, &message, MSG_NOSIGNAL) != 1)
		fail(STEP_TERMINAL, "socket");
	close(terminal_socket);
	close(terminal_master);
}

/* What is given under whatever numbers gets the three that a program has. Nothing else of it outlives its execve. */
static void take_stdio(const struct handed *h)
{
	for (int fd = 0; fd < 3; fd++)
		if (dup2(h->stdio[fd], fd) < 0)
			fail(STEP_PLAN, "stdio");
	for (int fd = 0; fd < 3; fd++)
		close(h->stdio[fd]);
}

/* The host's /dev/null would be the host's node, with a mode and an owner to change: the container's own in its place. */
static void take_null(void)
{
	struct stat st;
	int own = -1;
	for (int fd = 0; fd < 3; fd++) {
		if (fstat(fd, &st) || !S_ISCHR(st.st_mode) || st.st_rdev != makedev(1, 3))
			continue;
		if (own < 0 && (own = open("/dev/null", O_RDWR | O_CLOEXEC)) < 0)
			fail(STEP_DEV, "/dev/null");
		if (fstat(own, &st) || !S_ISCHR(st.st_mode) || st.st_rdev != makedev(1, 3)) {
			errno = ENODEV;
			fail(STEP_DEV, "/dev/null");
		}
		if (dup2(own, fd) < 0)
			fail(STEP_DEV, "/dev/null");
	}
	if (own > 2)
		close(own);
}

static void build(const struct handed *h, const struct plan *p)
{
	join_cgroups(p);
	netns_join(p);
	/* Only now: made by clone3 the namespace would be rooted at the group of the process that called it. */
	if (h->new_cgroup_namespace && syscall(SYS_unshare, CLONE_NEWCGROUP))
		fail(STEP_CLONE, "cgroup");
	rootfs_enter(p);
	if (p->hostname[0] && sethostname(p->hostname, strlen(p->hostname)))
		fail(STEP_HOSTNAME, p->hostname);
	if (p->loopback_up)
		loopback_up();
	if (p->terminal)
		send_terminal(h->rest[0]);
}

/* The program is a child; how it ended is reported, for the exit code of PID 1 cannot say all of it. */
static void __attribute__((noreturn)) init_main(const struct handed *h, const struct plan *p)
{
	sigset_t all;
	sigfillset(&all);
	close(h->exec);
	pid_t program = program_start(p);
	if (program < 0) {
		kill_rest();
		_exit(1);
	}
	if (p->terminal)
		close(terminal_slave);
	/* The terminal and the pipes belong to the program alone: their ends must be seen when it closes them. */
	for (int fd = 0; fd < 3; fd++)
		close(fd);
	set_capabilities(1ull << CAP_KILL);
	report(REPORT_STARTED, 0, 0, NULL);
	int status = reap(program, &all);
	kill_rest();
	if (WIFSIGNALED(status))
		report(REPORT_EXIT, 1, (uint32_t)WTERMSIG(status), NULL);
	else
		report(REPORT_EXIT, 0, (uint32_t)WEXITSTATUS(status), NULL);
	_exit(0);
}

void container_main(const struct handed *h)
{
	struct plan plan;
	sigset_t all;
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	report_fd = h->status;
	die_with_engine();
	setsid();
	umask(0);
	take_stdio(h);
	if (plan_read(h->plan, &plan))
		fail(STEP_PLAN, NULL);
	close(h->plan);
	plan.sockets = h->rest + (plan.terminal ? 1 : 0);
	build(h, &plan);
	take_null();
	/* Once, for init and program: what this process may get is what the program may. */
	drop_bounding(plan.capabilities);
	if (plan.init)
		init_main(h, &plan);
	program_become(&plan, h->exec);
}
