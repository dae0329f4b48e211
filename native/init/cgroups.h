#ifndef TSBUILD_CGROUPS_H
#define TSBUILD_CGROUPS_H
#include "plan.h"
/* Mounts the container's own groups of the hierarchies of v1, read-only. Fails by report. */
void cgroups_mount(const struct mount_entry *m);
#endif
