#define _GNU_SOURCE
#include "dev.h"
#include "fs.h"
#include "report.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include <unistd.h>

int terminal_master = -1, terminal_slave = -1;

static const struct { const char *name; unsigned int major, minor; } devices[] = {
	{ "null", 1, 3 }, { "zero", 1, 5 }, { "full", 1, 7 }, { "random", 1, 8 }, { "urandom", 1, 9 }, { "tty", 5, 0 },
};
#define DEVICES (sizeof devices / sizeof *devices)
static const struct { const char *target, *name; } links[] = {
	{ "/proc/self/fd", "fd" }, { "/proc/self/fd/0", "stdin" }, { "/proc/self/fd/1", "stdout" },
	{ "/proc/self/fd/2", "stderr" }, { "pts/ptmx", "ptmx" }, { "/proc/kcore", "core" },
};

static int dev_open(void)
{
	int dev = open_plain("/dev", O_RDONLY | O_DIRECTORY);
	if (dev < 0)
		fail(STEP_DEV, "/dev");
	return dev;
}

static void dev_attach(const struct mount_entry *m, uint64_t attributes)
{
	int mount_fd = new_mount(m->type, m->data, attributes), target = open_plain("/dev", O_PATH | O_DIRECTORY);
	if (target < 0 && errno == ENOENT)
		target = open_target("/dev", 1);
	if (mount_fd < 0 || target < 0 || attach(mount_fd, target))
		fail(STEP_MOUNT, m->target);
	close(target);
	close(mount_fd);
}

static void bind_file(int dev, const char *name, int source)
{
	int file = openat(dev, name, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0600);
	int target = file < 0 ? -1 : openat(dev, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (target < 0 || source < 0 || attach(source, target))
		fail(STEP_DEV, name);
	close(file);
	close(target);
	close(source);
}

static int host_device(size_t i)
{
	char path[32] = "/dev/";
	return device_clone(strcat(path, devices[i].name), S_IFCHR, makedev(devices[i].major, devices[i].minor));
}

/* False where this process may not make devices. */
static int make_devices(int dev)
{
	for (size_t i = 0; i < DEVICES; i++)
		if (mknodat(dev, devices[i].name, S_IFCHR | 0666, makedev(devices[i].major, devices[i].minor))) {
			if (errno == EPERM && i == 0)
				return 0;
			fail(STEP_DEV, devices[i].name);
		}
	return 1;
}

/*
 * Where no control group says which devices may be opened, mounts do: no mount that the container can make a node on
 * opens devices. Its own few lie on a mount below /dev that it cannot reach, and are bound one by one.
 */
static int dev_guarded(const struct mount_entry *m)
{
	int sources[DEVICES];
	dev_attach(m, m->attributes);
	int below = dev_open(), made = make_devices(below);
	for (size_t i = 0; i < DEVICES; i++)
		if ((sources[i] = made ? tree_clone(below, devices[i].name, 0) : host_device(i)) < 0)
			fail(STEP_DEV, devices[i].name);
	close(below);
	dev_attach(m, m->attributes | MOUNT_ATTR_NODEV);
	int dev = dev_open();
	for (size_t i = 0; i < DEVICES; i++)
		bind_file(dev, devices[i].name, sources[i]);
	return dev;
}

static int dev_plain(const struct mount_entry *m)
{
	dev_attach(m, m->attributes);
	int dev = dev_open();
	if (!make_devices(dev))
		fail(STEP_DEV, devices[0].name);
	return dev;
}

void dev_mount(const struct plan *p, const struct mount_entry *m)
{
	int dev = p->nodev ? dev_guarded(m) : dev_plain(m);
	for (size_t i = 0; i < sizeof links / sizeof *links; i++)
		if (symlinkat(links[i].target, dev, links[i].name))
			fail(STEP_DEV, links[i].name);
	for (const char *const *name = (const char *const[]){ "pts", "shm", "mqueue", NULL }; *name; name++)
		if (mkdirat(dev, *name, 0755))
			fail(STEP_DEV, *name);
	close(dev);
}

void dev_terminal(const struct plan *p, int devpts)
{
	int unlock = 0;
	struct winsize size = { .ws_row = p->terminal_rows, .ws_col = p->terminal_columns };
	terminal_master = openat(devpts, "ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NOFOLLOW);
	if (terminal_master < 0 || ioctl(terminal_master, TIOCSPTLCK, &unlock) ||
	    ioctl(terminal_master, TIOCSWINSZ, &size))
		fail(STEP_TERMINAL, "/dev/pts/ptmx");
	/* By the master, not by a path that could be something else. */
	terminal_slave = ioctl(terminal_master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (terminal_slave < 0 || fchown(terminal_slave, p->uid, (gid_t)-1))
		fail(STEP_TERMINAL, "/dev/pts/0");
	int dev = dev_open();
	bind_file(dev, "console", tree_clone(terminal_slave, "", 0));
	close(dev);
}
