/* Mount targets: made when they are missing, and named to the engine, which removes them when the container is gone. */
#define _GNU_SOURCE
#include "fs.h"
#include "report.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_SYMLINKS 40 /* the kernel's own limit */

/* Where an open directory is, as long as the host's /proc is there; its length, or 0. */
static size_t path_of(int fd, char path[PATH_MAX])
{
	char link[40];
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t size = readlink(link, path, PATH_MAX - 1);
	path[size < 0 ? 0 : size] = '\0';
	return size < 0 ? 0 : (size_t)size;
}

/* "BEFORE AFTER PATH": the mtimes that the directory had and has (S.NS), and the path in the root without symlinks. */
static void report_stub(int parent, const char *name, int directory, const struct stat *before)
{
	char where[PATH_MAX], top[PATH_MAX], text[PATH_MAX + 128];
	struct stat root, after;
	/* What lies in a volume is the volume's. */
	if (fstat(root_fd, &root) || fstat(parent, &after) || root.st_dev != before->st_dev)
		return;
	size_t prefix = path_of(root_fd, top);
	if (prefix == 0 || path_of(parent, where) < prefix || strncmp(where, top, prefix) != 0)
		return;
	snprintf(text, sizeof text, "%lld.%09ld %lld.%09ld %s/%s", (long long)before->st_mtim.tv_sec,
		 before->st_mtim.tv_nsec, (long long)after.st_mtim.tv_sec, after.st_mtim.tv_nsec, where + prefix, name);
	report(REPORT_STUB, (uint32_t)directory, 0, text);
}

static int make_one(int parent, const char *name, int directory)
{
	if (directory)
		return mkdirat(parent, name, 0755);
	int fd = openat(parent, name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0)
		return -1;
	close(fd);
	return 0;
}

/* path = the directory before `name`, then what the symlink says, then the rest. */
static int follow(char path[PATH_MAX], const char *target, const char *name, const char *rest)
{
	char made[PATH_MAX];
	int above = target[0] == '/' ? 0 : (int)(name - path);
	int size = snprintf(made, sizeof made, "%.*s%s%s%s", above, path, target, *rest ? "/" : "", rest);
	if (size >= (int)sizeof made) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(path, made, (size_t)size + 1);
	return 0;
}

/* Makes what is missing of the path. At a dangling symlink the path becomes the one it stands for: come again. */
static int make_missing(char path[PATH_MAX], int directory, int stub)
{
	char *name = path, *end;
	for (;; name = end) {
		name += strspn(name, "/");
		if (!*name)
			return 0;
		end = name + strcspn(name, "/");
		const char *rest = end + strspn(end, "/");
		int want_directory = *rest || directory;
		char saved = *end, first = *name;
		*end = '\0';
		int found = open_in_root(path, O_PATH);
		if (found >= 0) {
			close(found);
			*end = saved;
			continue;
		}
		*name = '\0';
		int parent = errno == ENOENT ? open_in_root(path, O_PATH | O_DIRECTORY) : -1;
		*name = first;
		struct stat before;
		if (parent < 0 || fstat(parent, &before))
			return -1;
		int made = make_one(parent, name, want_directory);
		if (made == 0 && stub)
			report_stub(parent, name, want_directory, &before);
		char target[PATH_MAX];
		ssize_t size = made && errno == EEXIST ? readlinkat(parent, name, target, sizeof target - 1) : -1;
		int failure = errno;
		close(parent);
		errno = failure;
		if (made && size < 0)
			return -1;
		if (made) {
			target[size] = '\0';
			return follow(path, target, name, rest);
		}
		*end = saved;
	}
}

static int open_made(const char *path, int directory, int stub)
{
	char now[PATH_MAX];
	if (strlen(path) >= sizeof now) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(now, path);
	for (int links = 0; links < MAX_SYMLINKS; links++) {
		int fd = open_in_root(now, O_PATH);
		if (fd >= 0 || errno != ENOENT)
			return fd;
		if (make_missing(now, directory, stub))
			return -1;
	}
	errno = ELOOP;
	return -1;
}

int open_target(const char *path, int directory) { return open_made(path, directory, 1); }

int open_directory(const char *path) { return open_made(path, 1, 0); }
