/* /sys/fs/cgroup as it is where controllers have hierarchies of their own: a directory for each, and links to those. */
#define _GNU_SOURCE
#include "cgroups.h"
#include "fs.h"
#include "report.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOCKED (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

/* cpu -> cpu,cpuacct: programs look for a controller by its name. */
static void link_controllers(int directory, const char *name)
{
	char *copy = strdup(name), *save = NULL;
	for (char *one = copy && strchr(name, ',') ? strtok_r(copy, ",", &save) : NULL; one; one = strtok_r(NULL, ",", &save))
		symlinkat(name, directory, one);
	free(copy);
}

/* The top of the mount is the container's own group: it is made in a cgroup namespace. */
static void mount_hierarchy(int directory, const char *name, const char *options)
{
	int fd = new_mount("cgroup", options, LOCKED);
	if (fd < 0)
		fail(STEP_MOUNT, name);
	int target = mkdirat(directory, name, 0755) ? -1 : openat(directory, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (target < 0 || attach(fd, target))
		fail(STEP_MOUNT, name);
	close(target);
	close(fd);
	link_controllers(directory, name);
}

void cgroups_mount(const struct mount_entry *m)
{
	int fs = new_mount("tmpfs", "mode=755,size=64k", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	int target = fs < 0 ? -1 : open_plain(m->target, O_PATH | O_DIRECTORY);
	char *copy = strdup(m->data), *save = NULL;
	if (target < 0 || !copy || attach(fs, target))
		fail(STEP_MOUNT, m->target);
	close(target);
	/* "NAME:OPTIONS;NAME:OPTIONS" */
	for (char *one = strtok_r(copy, ";", &save); one; one = strtok_r(NULL, ";", &save)) {
		char *options = strchr(one, ':');
		if (options)
			*options++ = '\0';
		mount_hierarchy(fs, one, options ? options : one);
	}
	free(copy);
	if (set_attributes(fs, MOUNT_ATTR_RDONLY, 0))
		fail(STEP_MOUNT, m->target);
	close(fs);
}
