/* The plan of one container: read once from a file descriptor, then only followed. Layout: native/plan.ts. */
#ifndef TSBUILD_PLAN_H
#define TSBUILD_PLAN_H
#include <stddef.h>
#include <stdint.h>

#define PLAN_MAGIC 0x39425354u /* "TSB9" */

struct strlist {
	uint32_t count;
	char **items; /* count strings and a NULL, as execve wants */
};

struct mount_entry {
	char *type; /* "bind", "overlay", "file", "socket", "device", or a file system: "tmpfs", "proc" ... */
	char *source;
	char *target; /* inside the root */
	char *data; /* comma separated key or key=value for the file system */
	uint64_t attributes; /* MOUNT_ATTR_* */
	uint32_t recursive;
	char *inside; /* of a bind or an overlay: what of it is mounted, resolved in it; "" is all */
	struct strlist lower; /* of an overlay, topmost first */
	char *upper, *work;
	uint32_t size, mode, uid, gid; /* of a file, a socket or a device */
	const void *content;
	uint32_t socket; /* which of the sockets that were handed over */
	uint32_t kind, major, minor; /* of a device; kind is S_IFCHR and so on */
};

struct limit_entry {
	uint32_t resource;
	uint64_t soft, hard;
};

struct plan {
	const int *sockets; /* of mounts; not part of the plan's text */
	struct strlist cgroup_procs;
	uint32_t nodev; /* mounts, not a control group, keep devices closed */
	char *netns; /* path of a network namespace to join, or "" */
	char *staging; /* a directory of the host to attach the root to, until it is / */
	uint32_t root_is_bind;
	struct strlist lower; /* of an overlay, topmost first; or one bind source */
	char *upper, *work;
	uint32_t overlay_flags; /* 1 volatile, 2 userxattr, 4 by mount(2) */
	uint32_t readonly_root;
	uint32_t system_mounts; /* how many of the mounts are ours: they come first */
	uint32_t mount_count;
	struct mount_entry *mounts;
	struct strlist masked, readonly_paths;
	char *hostname;
	uint32_t loopback_up;
	uint32_t terminal, terminal_columns, terminal_rows;
	uint32_t init; /* PID 1 is an init, the program its child */
	uint32_t limit_count;
	struct limit_entry *limits;
	uint64_t capabilities;
	uint32_t no_new_privs;
	uint32_t uid, gid, group_count;
	uint32_t *groups;
	char *cwd;
	uint32_t seccomp_size;
	void *seccomp; /* struct sock_filter[] */
	struct strlist args, env;
};

/* Reads the plan to the end of the descriptor. Returns 0, or -1 with errno. */
int plan_read(int fd, struct plan *plan);
#endif
