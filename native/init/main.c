/*
 * tsbuild-init PLAN_FD STATUS_FD MODE COUNT: makes one container of a plan. Started by native/process.ts; no policy, no
 * parsing of images. It has COUNT descriptors: after the status pipe the terminal's socket (MODE "terminal") and those of
 * mounts. The first process clones the container's PID 1 as a sibling (its parent is the engine) and ends; PID 1
 * builds the root, starts the program, forwards signals, reaps, and reports how the program ended.
 * tsbuild-init userns ...: see userns.h.
 */
#define _GNU_SOURCE
#include "dev.h"
#include "netns.h"
#include "plan.h"
#include "report.h"
#include "rootfs.h"
#include "userns.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

static int terminal_socket = -1;

static void join_cgroups(const struct plan *p)
{
	for (uint32_t i = 0; i < p->cgroup_procs.count; i++) {
		int fd = open(p->cgroup_procs.items[i], O_WRONLY | O_CLOEXEC);
		if (fd < 0 || write(fd, "0", 1) != 1)
			fail(STEP_CGROUP, p->cgroup_procs.items[i]);
		close(fd);
	}
}

static void set_limits(const struct plan *p)
{
	for (uint32_t i = 0; i < p->limit_count; i++) {
		struct rlimit want = { p->limits[i].soft, p->limits[i].hard }, have;
		if (setrlimit((int)p->limits[i].resource, &want) == 0)
			continue;
		/* Without CAP_SYS_RESOURCE the hard limit cannot be raised: go as far as it lets us. */
		if (errno != EPERM || getrlimit((int)p->limits[i].resource, &have))
			fail(STEP_LIMIT, NULL);
		want.rlim_max = have.rlim_max;
		if (want.rlim_cur > have.rlim_max)
			want.rlim_cur = have.rlim_max;
		if (setrlimit((int)p->limits[i].resource, &want))
			fail(STEP_LIMIT, NULL);
	}
}

static void drop_bounding(uint64_t keep)
{
	for (int cap = 0; cap < 64; cap++)
		if (!(keep & (1ull << cap)) && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) && errno != EINVAL)
			fail(STEP_CAPABILITIES, "bounding set");
}

static void set_capabilities(uint64_t keep)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2];
	memset(data, 0, sizeof data);
	for (int i = 0; i < 2; i++)
		data[i].effective = data[i].permitted = (uint32_t)(keep >> (32 * i));
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) && errno != EINVAL)
		fail(STEP_CAPABILITIES, "ambient set");
	if (syscall(SYS_capset, &header, data))
		fail(STEP_CAPABILITIES, "capset");
}

/* Loaded while CAP_SYS_ADMIN is there, so that no_new_privs need not be set. */
static void load_seccomp(const struct plan *p)
{
	struct sock_fprog program = { (unsigned short)(p->seccomp_size / sizeof(struct sock_filter)), p->seccomp };
	if (p->seccomp_size == 0)
		return;
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program))
		fail(STEP_SECCOMP, NULL);
}

static void set_user(const struct plan *p)
{
	/* A user namespace without ranges of numbers has no setgroups at all, and one group. */
	int groups = setgroups(p->group_count, p->groups);
	if (groups && errno == EPERM && (p->group_count == 0 || (p->group_count == 1 && p->groups[0] == p->gid)))
		groups = 0;
	if (groups || prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) || setresgid(p->gid, p->gid, p->gid) || setresuid(p->uid, p->uid, p->uid) ||
	    prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0))
		fail(STEP_USER, NULL);
}

/*
 * As root, and where root may not (a directory of a network file system) as the user. A path through /proc/PID/fd
 * could lead out of the root: then the kernel does not know where we are.
 */
static int enter_cwd(const struct plan *p, int as_user)
{
	char where[4096];
	if (p->cwd[0] && chdir(p->cwd)) {
		if (!as_user && (errno == EACCES || errno == EPERM))
			return -1;
		fail(STEP_CWD, p->cwd);
	}
	if (syscall(SYS_getcwd, where, sizeof where) < 0 || where[0] != '/') {
		errno = EXDEV;
		fail(STEP_CWD, p->cwd);
	}
	return 0;
}

/* The program may open its /dev/stdout anew: pipes of ours become its own. A file or terminal of the host does not. */
static void give_stdio(const struct plan *p)
{
	for (int fd = 0; fd < 3; fd++) {
		struct statfs fs;
		if (fstatfs(fd, &fs) == 0 && fs.f_type == 0x50495045 /* PIPEFS_MAGIC */ && fchown(fd, p->uid, (gid_t)-1))
			fail(STEP_USER, NULL);
	}
}

static int exec_error(int before, int now)
{
	/* As execvp: a permission problem in one directory of PATH says more than "not there" in the next. */
	return before == EACCES && (now == ENOENT || now == ENOTDIR) ? before : now;
}

static void exec_program(const struct plan *p)
{
	char **args = p->args.items, *path = NULL;
	for (uint32_t i = 0; i < p->env.count; i++)
		if (strncmp(p->env.items[i], "PATH=", 5) == 0)
			path = p->env.items[i] + 5;
	if (strchr(args[0], '/')) {
		execve(args[0], args, p->env.items);
		fail(STEP_EXEC, args[0]);
	}
	int error = ENOENT;
	char *copy = strdup(path && *path ? path : "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	for (char *next = copy, *dir; copy && args[0][0] && (dir = strsep(&next, ":"));) {
		char file[4096];
		size_t length = strlen(dir), name = strlen(args[0]);
		if (length + name + 2 > sizeof file)
			continue;
		memcpy(file, dir, length);
		file[length] = '/';
		memcpy(file + length + (length ? 1 : 0), args[0], name + 1);
		execve(file, args, p->env.items);
		if (errno != ENOENT && errno != ENOTDIR && errno != EACCES) {
			error = errno;
			break;
		}
		error = exec_error(error, errno);
	}
	errno = error;
	fail(STEP_EXEC, args[0]);
}

static void run_program(const struct plan *p)
{
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
	umask(022);
	if (p->terminal && (dup2(terminal_slave, 0) < 0 || dup2(terminal_slave, 1) < 0 || dup2(terminal_slave, 2) < 0 ||
			    ioctl(0, TIOCSCTTY, 0)))
		fail(STEP_TERMINAL, NULL);
	if (p->uid)
		give_stdio(p);
	set_limits(p);
	syscall(SYS_keyctl, 1 /* KEYCTL_JOIN_SESSION_KEYRING */, NULL);
	drop_bounding(p->capabilities);
	if (p->no_new_privs && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		fail(STEP_CAPABILITIES, "no_new_privs");
	int entered = enter_cwd(p, 0) == 0;
	load_seccomp(p);
	set_user(p);
	if (!entered)
		enter_cwd(p, 1);
	set_capabilities(p->capabilities);
	exec_program(p);
}

/* PID 1: forwards signals to the program and reaps until it has ended; then nothing may be left. */
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
static void send_terminal(void)
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

static void be_init(const struct plan *p)
{
	sigset_t all;
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	/* The engine may have died before that: then nobody reads the pipe. */
	struct pollfd engine = { .fd = report_fd };
	if (poll(&engine, 1, 0) != 0)
		_exit(1);
	setsid();
	umask(0);
	/* Only now: made by clone3 the namespace would be rooted at the group of the process that called it. */
	if ((p->namespaces & CLONE_NEWCGROUP) && syscall(SYS_unshare, CLONE_NEWCGROUP))
		fail(STEP_CLONE, "cgroup");
	rootfs_enter(p);
	if (p->hostname[0] && sethostname(p->hostname, strlen(p->hostname)))
		fail(STEP_HOSTNAME, p->hostname);
	if (p->loopback_up)
		loopback_up();
	if (p->terminal)
		send_terminal();
	/* The pipe closes by exec: end of file means that the program runs, bytes that it could not be started. */
	int started[2];
	if (pipe2(started, O_CLOEXEC))
		fail(STEP_FORK, NULL);
	/* The process that cloned this one may still be there, and count in a group that has room for few. */
	pid_t program = fork();
	for (int tries = 0; program < 0 && errno == EAGAIN && tries < 100; tries++) {
		usleep(1000);
		program = fork();
	}
	if (program < 0)
		fail(STEP_FORK, NULL);
	if (program == 0) {
		report_fd = started[1];
		run_program(p);
	}
	close(started[1]);
	char message[4096];
	ssize_t size = read(started[0], message, sizeof message);
	if (size > 0) {
		if (write(report_fd, message, (size_t)size) < 0)
			_exit(1);
		kill_rest();
		_exit(1);
	}
	close(started[0]);
	if (p->terminal)
		close(terminal_slave);
	/* The terminal and the pipes belong to the program alone: their ends must be seen when it closes them. */
	for (int fd = 0; fd < 3; fd++)
		close(fd);
	drop_bounding(0);
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
	if (argc != 5)
		return 2;
	int plan_fd = atoi(argv[1]), netns = strcmp(argv[3], "netns") == 0, next;
	report_fd = atoi(argv[2]);
	next = report_fd + 1;
	if (strcmp(argv[3], "terminal") == 0)
		terminal_socket = next++;
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	prctl(PR_SET_NAME, "tsbuild-init", 0, 0, 0); /* not the number of the descriptor it is run by */
	if (syscall(SYS_close_range, (unsigned)atoi(argv[4]), ~0u, 0))
		fail(STEP_PLAN, "close_range");
	reset_signals();
	if (netns)
		return netns_keep(plan_fd);
	struct plan plan;
	if (plan_read(plan_fd, &plan))
		fail(STEP_PLAN, NULL);
	plan.first_socket = next;
	close(plan_fd);
	fcntl(report_fd, F_SETFD, FD_CLOEXEC);
	join_cgroups(&plan);
	netns_join(&plan);
	struct clone_args args = { .flags = (plan.namespaces & ~(uint64_t)CLONE_NEWCGROUP) | CLONE_PARENT };
	if (plan.cgroup[0]) {
		/* Born in the group: moving a process there later makes the kernel wait for all processors. */
		int fd = open(plan.cgroup, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0)
			fail(STEP_CGROUP, plan.cgroup);
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)fd;
	}
	long pid = syscall(SYS_clone3, &args, sizeof args);
	if (pid < 0)
		fail(STEP_CLONE, NULL);
	if (pid == 0)
		be_init(&plan);
	report(REPORT_PID, (uint32_t)pid, 0, NULL);
	return 0;
}
