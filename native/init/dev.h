#ifndef TSBUILD_DEV_H
#define TSBUILD_DEV_H
#include "plan.h"
/* The terminal's ends; -1 without one. */
extern int terminal_master, terminal_slave;
/* Mounts /dev with the devices that every container has. Fails by report. */
void dev_mount(const struct plan *plan, const struct mount_entry *m);
/* Opens the terminal in the container's own devpts. Fails by report. */
void dev_terminal(const struct plan *plan, int devpts);
#endif
