#define _GNU_SOURCE
#include "rootfs.h"
#include "report.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#ifndef MNT_DETACH /* of <sys/mount.h>, which does not go together with <linux/mount.h> */
#define MNT_DETACH 2
#endif
#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif
int mount(const char *, const char *, const char *, unsigned long, const void *);
int umount2(const char *, int);

static int root_fd;

static int fs_open(const char *type) { return (int)syscall(SYS_fsopen, type, FSOPEN_CLOEXEC); }
static int fs_set(int fd, const char *key, const char *value)
{
	return (int)syscall(SYS_fsconfig, fd, value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG, key, value, 0);
}
static int fs_create(int fd) { return (int)syscall(SYS_fsconfig, fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0); }
static int fs_mount(int fd, uint64_t attributes)
{
	return (int)syscall(SYS_fsmount, fd, FSMOUNT_CLOEXEC, (unsigned int)attributes);
}
static int tree_clone(int dirfd, const char *path, int recursive)
{
	unsigned int flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0);
	return (int)syscall(SYS_open_tree, dirfd, path, flags);
}
static int attach(int mount_fd, int target_fd)
{
	return (int)syscall(SYS_move_mount, mount_fd, "", target_fd, "",
			    MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
}
static int set_attributes(int fd, uint64_t attributes, int recursive)
{
	struct mount_attr attr = { .attr_set = attributes };
	return (int)syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), &attr,
			    sizeof attr);
}

/* Nothing in the image can lead outside: the kernel resolves the path as if the root were `/`. */
static int open_in_root(const char *path, uint64_t flags)
{
	struct open_how how = { .flags = flags | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
	long fd;
	do
		fd = syscall(SYS_openat2, root_fd, path[0] ? path : "/", &how, sizeof how);
	while (fd < 0 && (errno == EAGAIN || errno == EINTR));
	return (int)fd;
}

/* One level of a missing mount target. A dangling symlink in the last place is replaced by what it names inside. */
static int make_last(int parent, const char *name, int directory)
{
	if (directory)
		return mkdirat(parent, name, 0755);
	int fd = openat(parent, name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0)
		return -1;
	close(fd);
	return 0;
}

static int make_target(const char *path, int directory)
{
	char *copy = strdup(path), *at = copy;
	int result = copy ? 0 : -1;
	while (result == 0 && at) {
		char *slash = strchr(at + 1, '/');
		if (slash)
			*slash = '\0';
		int found = open_in_root(copy, O_PATH);
		if (found < 0 && errno == ENOENT) {
			char *last = strrchr(copy, '/');
			char saved = last == copy ? '\0' : '/';
			if (last == copy)
				found = open_in_root("/", O_PATH | O_DIRECTORY);
			else {
				*last = '\0';
				found = open_in_root(copy, O_PATH | O_DIRECTORY);
				*last = saved;
			}
			if (found < 0 || (make_last(found, last + 1, slash != NULL || directory) && errno != EEXIST))
				result = -1;
		} else if (found < 0)
			result = -1;
		if (found >= 0)
			close(found);
		if (slash)
			*slash = '/';
		at = slash;
	}
	int saved_errno = errno;
	free(copy);
	errno = saved_errno;
	return result;
}

static int open_target(const char *path, int directory)
{
	int fd = open_in_root(path, O_PATH);
	if (fd < 0 && errno == ENOENT && make_target(path, directory) == 0)
		fd = open_in_root(path, O_PATH);
	return fd;
}

static void place(int mount_fd, const char *target, int directory, enum step step)
{
	int fd = open_target(target, directory);
	if (fd < 0 || attach(mount_fd, fd))
		fail(step, target);
	close(fd);
	close(mount_fd);
}

static int overlay(const struct plan *p)
{
	int fs = fs_open("overlay");
	if (fs < 0)
		return -1;
	for (uint32_t i = 0; i < p->lower.count; i++)
		if (fs_set(fs, "lowerdir+", p->lower.items[i]))
			return -1;
	if (p->upper[0] && (fs_set(fs, "upperdir", p->upper) || fs_set(fs, "workdir", p->work)))
		return -1;
	if (fs_set(fs, "index", "off") || fs_set(fs, "metacopy", "off") || fs_set(fs, "redirect_dir", "off"))
		return -1;
	if (((p->overlay_flags & 1) && fs_set(fs, "volatile", NULL)) ||
	    ((p->overlay_flags & 2) && fs_set(fs, "userxattr", NULL)))
		return -1;
	if (fs_create(fs))
		return -1;
	int fd = fs_mount(fs, p->nodev ? MOUNT_ATTR_NODEV : 0);
	close(fs);
	return fd;
}

static void make_root(const struct plan *p)
{
	int fd = p->root_is_bind ? tree_clone(AT_FDCWD, p->lower.items[0], 1) : overlay(p);
	if (fd < 0 || syscall(SYS_move_mount, fd, "", AT_FDCWD, p->staging, MOVE_MOUNT_F_EMPTY_PATH))
		fail(STEP_ROOT, p->lower.count ? p->lower.items[0] : p->upper);
	if (p->root_is_bind && p->nodev && set_attributes(fd, MOUNT_ATTR_NODEV, 1))
		fail(STEP_ROOT, "nodev");
	root_fd = fd;
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

static int new_mount(const char *type, const char *data, uint64_t attributes)
{
	int fs = fs_open(type);
	if (fs < 0)
		return -1;
	int fd = -1;
	if (apply_data(fs, data) == 0 && fs_create(fs) == 0)
		fd = fs_mount(fs, attributes);
	int saved = errno;
	close(fs);
	errno = saved;
	return fd;
}

static void bind_mount(const struct mount_entry *m)
{
	struct stat st;
	int fd = tree_clone(AT_FDCWD, m->source, (int)m->recursive);
	if (fd < 0 || fstat(fd, &st) || (m->attributes && set_attributes(fd, m->attributes, (int)m->recursive)))
		fail(STEP_MOUNT, m->source);
	place(fd, m->target, S_ISDIR(st.st_mode), STEP_MOUNT);
}

static const struct { const char *name; unsigned int major, minor; } devices[] = {
	{ "null", 1, 3 }, { "zero", 1, 5 }, { "full", 1, 7 }, { "random", 1, 8 }, { "urandom", 1, 9 }, { "tty", 5, 0 },
};
static const struct { const char *target, *name; } links[] = {
	{ "/proc/self/fd", "fd" }, { "/proc/self/fd/0", "stdin" }, { "/proc/self/fd/1", "stdout" },
	{ "/proc/self/fd/2", "stderr" }, { "pts/ptmx", "ptmx" }, { "/proc/kcore", "core" },
};

/* /dev is a tmpfs of ours with the devices that every container has. */
static void fill_dev(void)
{
	int dev = open_in_root("/dev", O_RDONLY | O_DIRECTORY);
	if (dev < 0)
		fail(STEP_DEV, "/dev");
	for (size_t i = 0; i < sizeof devices / sizeof *devices; i++)
		if (mknodat(dev, devices[i].name, S_IFCHR | 0666, makedev(devices[i].major, devices[i].minor)))
			fail(STEP_DEV, devices[i].name);
	for (size_t i = 0; i < sizeof links / sizeof *links; i++)
		if (symlinkat(links[i].target, dev, links[i].name))
			fail(STEP_DEV, links[i].name);
	close(dev);
}

static void mount_all(const struct plan *p)
{
	for (uint32_t i = 0; i < p->mount_count; i++) {
		const struct mount_entry *m = &p->mounts[i];
		if (strcmp(m->type, "bind") == 0) {
			bind_mount(m);
			continue;
		}
		int fd = new_mount(m->type, m->data, m->attributes);
		if (fd < 0)
			fail(STEP_MOUNT, m->target);
		place(fd, m->target, 1, STEP_MOUNT);
		if (strcmp(m->target, "/dev") == 0)
			fill_dev();
	}
}

/* Files are covered by /dev/null, directories by one empty read-only tmpfs. */
static void mask_paths(const struct plan *p)
{
	int null_fd = open_in_root("/dev/null", O_PATH), empty = -1;
	for (uint32_t i = 0; i < p->masked.count; i++) {
		const char *path = p->masked.items[i];
		struct stat st;
		int target = open_in_root(path, O_PATH);
		if (target < 0 && (errno == ENOENT || errno == ENOTDIR || errno == EACCES))
			continue;
		if (target < 0 || fstat(target, &st))
			fail(STEP_MASK, path);
		int cover;
		if (!S_ISDIR(st.st_mode))
			cover = tree_clone(null_fd, "", 0);
		else if (empty < 0)
			cover = empty = new_mount("tmpfs", "size=0k,nr_inodes=2,mode=0555",
						  MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
		else
			cover = tree_clone(empty, "", 0);
		if (cover < 0 || attach(cover, target))
			fail(STEP_MASK, path);
		close(target);
		if (cover != empty)
			close(cover);
	}
	if (null_fd >= 0)
		close(null_fd);
	if (empty >= 0)
		close(empty);
}

static void readonly_paths(const struct plan *p)
{
	for (uint32_t i = 0; i < p->readonly_paths.count; i++) {
		const char *path = p->readonly_paths.items[i];
		int target = open_in_root(path, O_PATH);
		if (target < 0 && (errno == ENOENT || errno == ENOTDIR || errno == EACCES))
			continue;
		int fd = target < 0 ? -1 : tree_clone(target, "", 1);
		uint64_t attributes = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
		if (fd < 0 || set_attributes(fd, attributes, 1) || attach(fd, target))
			fail(STEP_READONLY, path);
		close(target);
		close(fd);
	}
}

void rootfs_enter(const struct plan *p)
{
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL))
		fail(STEP_PRIVATE, "/");
	make_root(p);
	mount_all(p);
	mask_paths(p);
	readonly_paths(p);
	if (p->readonly_root && set_attributes(root_fd, MOUNT_ATTR_RDONLY, 0))
		fail(STEP_ROOT, "/");
	/* The old root lands on top of the new one and is taken off: no directory is needed for it. */
	if (fchdir(root_fd) || syscall(SYS_pivot_root, ".", ".") || umount2(".", MNT_DETACH) || chdir("/"))
		fail(STEP_PIVOT, p->staging);
	close(root_fd);
}
