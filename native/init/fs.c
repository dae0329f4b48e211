#define _GNU_SOURCE
#include "fs.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int root_fd = -1;

int fs_open(const char *type) { return (int)syscall(SYS_fsopen, type, FSOPEN_CLOEXEC); }

int fs_set(int fs, const char *key, const char *value)
{
	return (int)syscall(SYS_fsconfig, fs, value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG, key, value, 0);
}

int fs_create(int fs) { return (int)syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0); }

int fs_mount(int fs, uint64_t attributes)
{
	return (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, (unsigned int)attributes);
}

static int apply_data(int fs, const char *data)
{
	char *copy = strdup(data), *save = NULL;
	int result = copy ? 0 : -1;
	for (char *one = strtok_r(copy, ",", &save); result == 0 && one; one = strtok_r(NULL, ",", &save)) {
		char *value = strchr(one, '=');
		if (value)
			*value++ = '\0';
		result = fs_set(fs, one, value);
	}
	free(copy);
	return result;
}

int new_mount(const char *type, const char *data, uint64_t attributes)
{
	int fs = fs_open(type);
	if (fs < 0)
		return -1;
	int fd = -1;
	if (fs_set(fs, "source", type) == 0 && apply_data(fs, data) == 0 && fs_create(fs) == 0)
		fd = fs_mount(fs, attributes);
	int saved = errno;
	close(fs);
	errno = saved;
	return fd;
}

int tree_clone(int dirfd, const char *path, int recursive)
{
	unsigned int flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0);
	return (int)syscall(SYS_open_tree, dirfd, path, flags);
}

int device_clone(const char *path, uint32_t kind, uint64_t number)
{
	struct stat st;
	int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -1;
	int same = !fstat(fd, &st) && (st.st_mode & S_IFMT) == kind && st.st_rdev == number;
	int clone = same ? tree_clone(fd, "", 0) : -1, failure = same ? errno : ENODEV;
	close(fd);
	errno = failure;
	return clone;
}

int attach(int mount_fd, int target_fd)
{
	return (int)syscall(SYS_move_mount, mount_fd, "", target_fd, "",
			    MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
}

int set_attributes(int fd, uint64_t attributes, int recursive)
{
	struct mount_attr attr = { .attr_set = attributes };
	return (int)syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), &attr,
			    sizeof attr);
}

static int resolve(int directory, const char *path, uint64_t flags, uint64_t how_to)
{
	struct open_how how = { .flags = flags | O_CLOEXEC, .resolve = how_to };
	long fd;
	do
		fd = syscall(SYS_openat2, directory, path[0] ? path : "/", &how, sizeof how);
	while (fd < 0 && (errno == EAGAIN || errno == EINTR));
	return (int)fd;
}

int open_below(int directory, const char *path, uint64_t flags)
{
	return resolve(directory, path, flags, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
}

int open_in_root(const char *path, uint64_t flags)
{
	return resolve(root_fd, path, flags, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
}

int open_plain(const char *path, uint64_t flags)
{
	return resolve(root_fd, path, flags, RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS);
}
