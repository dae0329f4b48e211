#define _GNU_SOURCE
#include "rootfs.h"
#include "cgroups.h"
#include "dev.h"
#include "fs.h"
#include "report.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <unistd.h>

#define PROC_SUPER_MAGIC 0x9fa0
#define OVERLAY_VOLATILE 1
#define OVERLAY_USERXATTR 2
#define OVERLAY_BY_MOUNT 4

static uint64_t root_attributes(const struct plan *p) { return p->nodev ? MOUNT_ATTR_NODEV : 0; }

/* An overlay's directories, topmost first. */
struct layers {
	const struct strlist *lower;
	const char *upper, *work;
	uint32_t flags;
};

#define MAX_DIRECTORIES 502
static int opened[MAX_DIRECTORIES], opened_count;

/* Appends "KEY" and a descriptor of the directory to the options. Its number is its name in /proc/self/fd. */
static int add_directory(char *data, size_t size, const char *key, const char *path)
{
	size_t used = strlen(data);
	int fd = opened_count < MAX_DIRECTORIES ? open(path, O_PATH | O_DIRECTORY | O_CLOEXEC) : (errno = E2BIG, -1);
	if (fd < 0)
		return -1;
	opened[opened_count++] = fd;
	if (snprintf(data + used, size - used, "%s%d", key, fd) < (int)(size - used))
		return 0;
	errno = E2BIG;
	return -1;
}

/*
 * Kernels before 6.8 have no lowerdir+, and mount(2) takes one page: descriptors have short names in /proc/self/fd.
 * None of them stays open: they are directories of the host.
 */
static int overlay_by_mount(const struct plan *p, const struct layers *l)
{
	static const char fixed[] = ",index=off,metacopy=off,redirect_dir=nofollow";
	char data[4096] = "";
	size_t room = sizeof data - sizeof fixed - sizeof ",volatile,userxattr";
	int bad = 0;
	for (uint32_t i = 0; !bad && i < l->lower->count; i++)
		bad = add_directory(data, room, i ? ":" : "lowerdir=", l->lower->items[i]);
	if (!bad && l->upper[0])
		bad = add_directory(data, room, ",upperdir=", l->upper) || add_directory(data, room, ",workdir=", l->work);
	strcat(data, fixed);
	if (l->flags & OVERLAY_VOLATILE)
		strcat(data, ",volatile");
	if (l->flags & OVERLAY_USERXATTR)
		strcat(data, ",userxattr");
	if (bad || chdir("/proc/self/fd") || mount("overlay", p->staging, "overlay", 0, data) || chdir("/"))
		return -1;
	while (opened_count > 0)
		close(opened[--opened_count]);
	return open(p->staging, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* How long what both paths begin with is, at most so long and up to a slash. */
static size_t common_start(const char *a, const char *b, size_t most)
{
	size_t length = 0;
	for (size_t i = 0; i < most && a[i] && a[i] == b[i]; i++)
		if (a[i] == '/')
			length = i + 1;
	return length;
}

/*
 * Goes where all of the directories are below and returns what is then left out of their paths: the container sees the
 * names that a mount was made with, and where they are on the host is not for it.
 */
static size_t enter_common(const struct layers *l)
{
	const char *first = l->upper[0] ? l->upper : l->lower->count ? l->lower->items[0] : "";
	char start[PATH_MAX];
	size_t length = common_start(first, first, sizeof start - 1);
	for (uint32_t i = 0; i < l->lower->count; i++)
		length = common_start(first, l->lower->items[i], length);
	if (l->upper[0])
		length = common_start(first, l->work, length);
	memcpy(start, first, length);
	start[length] = '\0';
	return length == 0 || chdir(start) ? 0 : length;
}

/* A detached mount; -2 where the kernel has no lowerdir+. */
static int overlay(const struct plan *p, const struct layers *l)
{
	int fs = fs_open("overlay");
	if (fs < 0)
		return -1;
	size_t left_out = enter_common(l);
	for (uint32_t i = 0; i < l->lower->count; i++)
		if (fs_set(fs, "lowerdir+", l->lower->items[i] + left_out)) {
			int by_mount = i == 0 && errno == EINVAL;
			close(fs);
			return by_mount ? -2 : -1;
		}
	if (fs_set(fs, "source", "overlay"))
		return -1;
	if (l->upper[0] &&
	    (fs_set(fs, "upperdir", l->upper + left_out) || fs_set(fs, "workdir", l->work + left_out)))
		return -1;
	if (fs_set(fs, "index", "off") || fs_set(fs, "metacopy", "off") || fs_set(fs, "redirect_dir", "nofollow"))
		return -1;
	if (((l->flags & OVERLAY_VOLATILE) && fs_set(fs, "volatile", NULL)) ||
	    ((l->flags & OVERLAY_USERXATTR) && fs_set(fs, "userxattr", NULL)))
		return -1;
	if (fs_create(fs) || chdir("/"))
		return -1;
	int fd = fs_mount(fs, root_attributes(p));
	close(fs);
	return fd;
}

static void make_root(const struct plan *p)
{
	struct layers l = { &p->lower, p->upper, p->work, p->overlay_flags };
	int by_mount = !p->root_is_bind && (p->overlay_flags & OVERLAY_BY_MOUNT);
	if (!by_mount) {
		root_fd = p->root_is_bind ? tree_clone(AT_FDCWD, p->lower.items[0], 1) : overlay(p, &l);
		by_mount = root_fd == -2;
	}
	if (by_mount)
		root_fd = overlay_by_mount(p, &l);
	if (root_fd < 0 || ((by_mount || p->root_is_bind) && set_attributes(root_fd, root_attributes(p), 1)) ||
	    (!by_mount && syscall(SYS_move_mount, root_fd, "", AT_FDCWD, p->staging, MOVE_MOUNT_F_EMPTY_PATH)))
		fail(STEP_ROOT, p->lower.count ? p->lower.items[0] : p->upper);
}

/* The host's, where a user namespace may not make its own because it has the host's network. */
static int host_sysfs(uint64_t attributes)
{
	int fd = tree_clone(AT_FDCWD, "/sys", 1);
	return fd < 0 || set_attributes(fd, attributes, 1) ? -1 : fd;
}

/* As the plan says, and with what a user namespace leaves of that. */
static int system_fs(const struct mount_entry *m)
{
	int fd = new_mount(m->type, m->data, m->attributes);
	if (fd < 0 && errno == EPERM && strcmp(m->type, "sysfs") == 0)
		fd = host_sysfs(m->attributes | MOUNT_ATTR_RDONLY);
	/* Terminals belong to group 5 of the image, which may have no number outside. */
	if (fd < 0 && errno == EINVAL && strcmp(m->type, "devpts") == 0)
		fd = new_mount(m->type, "newinstance,ptmxmode=0666,mode=0620", m->attributes);
	return fd;
}

/* A mount of ours: its target is a plain directory, so that what is said of /proc is said of the real one. */
static void system_mount(const struct plan *p, const struct mount_entry *m)
{
	if (strcmp(m->target, "/dev") == 0) {
		dev_mount(p, m);
		return;
	}
	if (strcmp(m->type, "cgroup1") == 0) {
		cgroups_mount(m);
		return;
	}
	int fd = system_fs(m), target = fd < 0 ? -1 : open_plain(m->target, O_PATH | O_DIRECTORY);
	if (fd >= 0 && target < 0 && errno == ENOENT)
		target = open_target(m->target, 1);
	if (target < 0 || attach(fd, target))
		fail(STEP_MOUNT, m->target);
	close(target);
	if (p->terminal && strcmp(m->type, "devpts") == 0)
		dev_terminal(p, fd);
	close(fd);
}

/*
 * A mount of what lies at `path` in a mount of ours. Only what is attached can be cloned (before Linux 6.15): for that
 * moment it lies over the staging directory, where nobody else sees it. Takes the descriptor over.
 */
static int clone_inside(const struct plan *p, int fd, int attached, const char *path)
{
	int staging = attached ? -1 : open(p->staging, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (!attached && (staging < 0 || attach(fd, staging)))
		return -1;
	int inside = open_below(fd, path, O_PATH);
	int clone = inside < 0 ? -1 : tree_clone(inside, "", 0), failure = errno;
	if (umount2(p->staging, MNT_DETACH))
		return -1;
	if (inside >= 0)
		close(inside);
	if (staging >= 0)
		close(staging);
	close(fd);
	errno = failure;
	return clone;
}

static int bind_mount(const struct mount_entry *m)
{
	if (!m->inside[0])
		return tree_clone(AT_FDCWD, m->source, (int)m->recursive);
	int top = open(m->source, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int inside = top < 0 ? -1 : open_below(top, m->inside, O_PATH);
	int fd = inside < 0 ? -1 : tree_clone(inside, "", (int)m->recursive), failure = errno;
	if (inside >= 0)
		close(inside);
	if (top >= 0)
		close(top);
	errno = failure;
	return fd;
}

static int overlay_mount(const struct plan *p, const struct mount_entry *m)
{
	struct layers l = { &m->lower, m->upper, m->work, p->overlay_flags & OVERLAY_USERXATTR };
	int by_mount = (p->overlay_flags & OVERLAY_BY_MOUNT) != 0, fd = by_mount ? -2 : overlay(p, &l);
	if (fd == -2) {
		by_mount = 1;
		fd = overlay_by_mount(p, &l);
	}
	return fd < 0 ? -1 : clone_inside(p, fd, by_mount, m->inside);
}

/* A file of its own on a tmpfs that is never swapped out, where the kernel (6.4) can promise that. */
static int file_mount(const struct plan *p, const struct mount_entry *m)
{
	int fs = new_mount("tmpfs", "size=1m,nr_inodes=4,mode=0700,noswap", 0);
	if (fs < 0)
		fs = new_mount("tmpfs", "size=1m,nr_inodes=4,mode=0700", 0);
	int file = fs < 0 ? -1 : openat(fs, "file", O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (file < 0)
		return -1;
	for (uint32_t done = 0; done < m->size;) {
		ssize_t size = write(file, (const char *)m->content + done, m->size - done);
		if (size < 0)
			return -1;
		done += (uint32_t)size;
	}
	if (fchown(file, m->uid, m->gid) || fchmod(file, m->mode) || close(file))
		return -1;
	return clone_inside(p, fs, 0, "file");
}

/*
 * A socket that the engine listens on, bound here: its file is on a tmpfs of its own, with owner and mode before anybody
 * can see it, and its name says nothing of the host. The engine accepts once the program runs; until then clients wait.
 */
static int socket_mount(const struct plan *p, const struct mount_entry *m)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX, .sun_path = "socket" };
	int fs = new_mount("tmpfs", "size=4k,nr_inodes=4,mode=0700", 0), fd = p->sockets[m->socket];
	if (fs < 0 || fchdir(fs) || bind(fd, (struct sockaddr *)&name, sizeof name) ||
	    fchownat(fs, name.sun_path, m->uid, m->gid, AT_SYMLINK_NOFOLLOW) ||
	    fchmodat(fs, name.sun_path, m->mode, 0) || listen(fd, 128) || close(fd) || chdir("/"))
		return -1;
	return clone_inside(p, fs, 0, name.sun_path);
}

static int device_mount(const struct plan *p, const struct mount_entry *m)
{
	int fs = new_mount("tmpfs", "size=4k,nr_inodes=4,mode=0700", 0);
	dev_t number = makedev(m->major, m->minor);
	int made = fs < 0 ? -1 : mknodat(fs, "device", m->kind | 0600, number);
	if (made && fs >= 0 && errno == EPERM)
		return close(fs) ? -1 : device_clone(m->source, m->kind, number);
	if (made ||
	    fchownat(fs, "device", m->uid, m->gid, AT_SYMLINK_NOFOLLOW) || fchmodat(fs, "device", m->mode, 0))
		return -1;
	return clone_inside(p, fs, 0, "device");
}

static void user_mount(const struct plan *p, const struct mount_entry *m)
{
	int bind = strcmp(m->type, "bind") == 0, layered = strcmp(m->type, "overlay") == 0;
	int file = strcmp(m->type, "file") == 0, listening = strcmp(m->type, "socket") == 0;
	int device = strcmp(m->type, "device") == 0;
	int fd = bind        ? bind_mount(m)
		 : layered   ? overlay_mount(p, m)
		 : file      ? file_mount(p, m)
		 : listening ? socket_mount(p, m)
		 : device    ? device_mount(p, m)
			     : new_mount(m->type, m->data, m->attributes);
	struct stat st;
	if (fd < 0 || fstat(fd, &st))
		fail(STEP_MOUNT, bind && !m->inside[0] ? m->source : m->target);
	if ((bind || layered || file || listening || device) && m->attributes && set_attributes(fd, m->attributes, (int)m->recursive))
		fail(STEP_MOUNT, bind ? m->source : m->target);
	int target = open_target(m->target, S_ISDIR(st.st_mode));
	struct statfs over;
	if (target >= 0 && fstatfs(target, &over) == 0 && over.f_type == PROC_SUPER_MAGIC) {
		/* The kernel's own files are not to be replaced by a container's. */
		errno = EPERM;
		fail(STEP_MOUNT, m->target);
	}
	if (target < 0 || attach(fd, target))
		fail(STEP_MOUNT, m->target);
	close(target);
	close(fd);
}

/* Files are covered by /dev/null, directories by one empty read-only tmpfs. */
static void mask_paths(const struct plan *p)
{
	int null_fd = open_plain("/dev/null", O_PATH), empty = -1;
	for (uint32_t i = 0; i < p->masked.count; i++) {
		const char *path = p->masked.items[i];
		struct stat st;
		int target = open_plain(path, O_PATH);
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
		int target = open_plain(path, O_PATH);
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

/* Made when it is missing, as runc does: in the layer, or in the mount that it lies in. */
static void make_cwd(const struct plan *p)
{
	int cwd = p->cwd[0] ? open_directory(p->cwd) : -1;
	if (p->cwd[0] && cwd < 0)
		fail(STEP_CWD, p->cwd);
	if (cwd >= 0)
		close(cwd);
}

void rootfs_enter(const struct plan *p)
{
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL))
		fail(STEP_PRIVATE, "/");
	make_root(p);
	for (uint32_t i = 0; i < p->system_mounts; i++)
		system_mount(p, &p->mounts[i]);
	/* Before any mount that others may write to at this moment: what is masked is what was meant. */
	mask_paths(p);
	readonly_paths(p);
	for (uint32_t i = p->system_mounts; i < p->mount_count; i++)
		user_mount(p, &p->mounts[i]);
	make_cwd(p);
	if (p->readonly_root && set_attributes(root_fd, MOUNT_ATTR_RDONLY, 0))
		fail(STEP_ROOT, "/");
	/* The old root lands on top of the new one and is taken off: no directory is needed for it. */
	if (fchdir(root_fd) || syscall(SYS_pivot_root, ".", ".") || umount2(".", MNT_DETACH) || chdir("/"))
		fail(STEP_PIVOT, p->staging);
	close(root_fd);
}
