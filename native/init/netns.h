#ifndef TSBUILD_NETNS_H
#define TSBUILD_NETNS_H
#include "plan.h"
/* Raises `lo` in the namespace of the process. Fails by report. */
void loopback_up(void);
/* Moves the process into the network namespace of the plan, if it names one. Fails by report. */
void netns_join(const struct plan *plan);
/* The first descriptor of the sockets that were asked for. */
#define NETNS_SOCKETS 64
/*
 * Makes a network namespace with `lo` up and a routing socket in it, reports the socket's descriptor, and keeps both
 * until the other end of hold_fd is closed: the engine takes them over by pidfd_getfd(2) and /proc/PID/ns/net.
 * `words`, up to NULL: "tcp" or "udp", an address and a port for each socket that is to be bound inside.
 */
int netns_keep(int hold_fd, char **words);
#endif
