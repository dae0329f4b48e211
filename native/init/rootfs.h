#ifndef TSBUILD_ROOTFS_H
#define TSBUILD_ROOTFS_H
#include "plan.h"
/* In a mount namespace of its own: builds the root, mounts all of the plan and makes it `/`. Fails by report. */
void rootfs_enter(const struct plan *plan);
#endif
