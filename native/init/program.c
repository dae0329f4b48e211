/* The container's program: from the first process to execve. */
#define _GNU_SOURCE
#include "program.h"
#include "capabilities.h"
#include "dev.h"
#include "report.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

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

static void __attribute__((noreturn)) exec_program(const struct plan *p)
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

static void __attribute__((noreturn)) run_program(const struct plan *p, int exec)
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
	if (p->no_new_privs && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		fail(STEP_CAPABILITIES, "no_new_privs");
	int entered = enter_cwd(p, 0) == 0;
	load_seccomp(p);
	set_user(p);
	if (!entered)
		enter_cwd(p, 1);
	set_capabilities(p->capabilities);
	/* The kernel forgets it when a process changes its user. An init's program ends with the init. */
	if (exec >= 0)
		die_with_engine();
	/* Until execve the memory is ours: a change of user can have opened it to the container's processes. */
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	if (exec >= 0 && write(exec, "", 1) != 1)
		fail(STEP_EXEC, "pipe");
	exec_program(p);
}

static int program_main(void *plan)
{
	run_program(plan, -1);
}

void program_become(const struct plan *p, int exec) { run_program(p, exec); }

/* As vfork: with a copy of the memory the start would take longer, and nothing here goes on before execve anyway. */
pid_t program_start(const struct plan *p)
{
	static char stack[64 << 10] __attribute__((aligned(16)));
	pid_t program = clone(program_main, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, (void *)p);
	if (program < 0)
		fail(STEP_FORK, NULL);
	return failed ? -1 : program;
}

