#ifndef TSBUILD_CONTAINER_H
#define TSBUILD_CONTAINER_H

/* Descriptors that PID 1 is given. */
struct handed {
	int stdio[3], plan, status;
	const int *rest; /* the terminal's socket when the plan has a terminal, then those of mounts */
	int exec; /* gets a byte before the program is executed, and is closed by that */
	int new_cgroup_namespace;
};

/* The life of a container's PID 1, in its namespaces. */
void container_main(const struct handed *handed) __attribute__((noreturn));
#endif
