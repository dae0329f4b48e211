#define _GNU_SOURCE
#include "userns.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

enum { UID_MAP, GID_MAP, NEWUIDMAP, NEWGIDMAP, PROGRAM };
#define MAX_WORDS 96

static int put(const char *file, const char *text)
{
	int fd = open(file, O_WRONLY | O_CLOEXEC);
	ssize_t length = (ssize_t)strlen(text), done = fd < 0 ? -1 : write(fd, text, (size_t)length);
	int saved = done == length ? 0 : done < 0 ? errno : EIO;
	if (fd >= 0)
		close(fd);
	errno = saved;
	return saved ? -1 : 0;
}

static int write_maps(char **argv)
{
	return put("/proc/self/setgroups", "deny") || put("/proc/self/uid_map", argv[UID_MAP]) ||
	       put("/proc/self/gid_map", argv[GID_MAP]);
}

/* Runs `HELPER PID INSIDE OUTSIDE COUNT ...`; it has rights of its own. What it prints is the user's to see. */
static int run_helper(const char *helper, const char *pid, const char *map)
{
	char *words[MAX_WORDS] = { (char *)helper, (char *)pid }, *copy = strdup(map), *save = NULL;
	int count = 2, status;
	for (char *word = strtok_r(copy, " ,", &save); word && count < MAX_WORDS - 1; word = strtok_r(NULL, " ,", &save))
		words[count++] = word;
	pid_t child = fork();
	if (child == 0) {
		execv(helper, words);
		_exit(127);
	}
	free(copy);
	return child > 0 && waitpid(child, &status, 0) == child && status == 0 ? 0 : -1;
}

/* Outside of the namespace: waits until it is there, then has it mapped. */
static void map_from_outside(char **argv, int ready)
{
	char byte, pid[16];
	snprintf(pid, sizeof pid, "%d", getppid());
	if (read(ready, &byte, 1) != 1)
		_exit(1);
	_exit(run_helper(argv[NEWUIDMAP], pid, argv[UID_MAP]) || run_helper(argv[NEWGIDMAP], pid, argv[GID_MAP]));
}

/* The step that failed, with errno; NULL when the namespace is there. */
static const char *enter(char **argv)
{
	int ready[2], status = 0, helped = argv[NEWUIDMAP][0] != '\0';
	pid_t mapper = -1;
	if (helped) {
		if (pipe2(ready, O_CLOEXEC) || (mapper = fork()) < 0)
			return "fork";
		if (mapper == 0) {
			close(ready[1]);
			map_from_outside(argv, ready[0]);
		}
		close(ready[0]);
	}
	int failed = unshare(CLONE_NEWUSER | CLONE_NEWNS), why = errno;
	if (helped) {
		if (!failed && write(ready[1], "", 1) != 1)
			return "map";
		close(ready[1]);
		waitpid(mapper, &status, 0);
	}
	errno = why;
	if (failed)
		return "unshare";
	errno = EPERM;
	if (helped ? status != 0 : write_maps(argv))
		return "map";
	if (setresgid(0, 0, 0) || (helped && setgroups(0, NULL)) || setresuid(0, 0, 0))
		return "become root";
	/* What is mounted later on the host arrives here, nothing of ours goes there. */
	return mount("none", "/", NULL, MS_REC | MS_SLAVE, NULL) ? "mount" : NULL;
}

int userns_exec(char **argv)
{
	const char *failed = enter(argv);
	char text[64];
	if (failed) {
		snprintf(text, sizeof text, "%s %d", failed, errno);
		setenv("TSBUILD_USERNS_ERROR", text, 1);
	}
	execv(argv[PROGRAM], argv + PROGRAM);
	perror(argv[PROGRAM]);
	return 127;
}
