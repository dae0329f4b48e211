/* Messages to the engine over the status pipe: one struct and, for errors, the path after it. */
#ifndef TSBUILD_REPORT_H
#define TSBUILD_REPORT_H
#include <stdint.h>

enum report_kind { REPORT_PID = 1, REPORT_STARTED = 2, REPORT_ERROR = 3, REPORT_EXIT = 4, REPORT_STUB = 5 };

/* What was being done; the texts are in native/process.ts. */
enum step {
	STEP_PLAN = 1, STEP_CGROUP, STEP_CLONE, STEP_PRIVATE, STEP_ROOT, STEP_MOUNT, STEP_DEV, STEP_MASK,
	STEP_READONLY, STEP_PIVOT, STEP_HOSTNAME, STEP_LOOPBACK, STEP_FORK, STEP_TERMINAL, STEP_LIMIT,
	STEP_CAPABILITIES, STEP_SECCOMP, STEP_USER, STEP_CWD, STEP_EXEC, STEP_NETNS
};

struct report {
	uint32_t kind;
	uint32_t a; /* pid; step; 0 = exited, 1 = signaled; 1 = directory */
	uint32_t b; /* errno; exit code or signal */
	uint32_t size; /* of the text that follows */
};

extern int report_fd;
extern volatile int failed; /* fail() was called, by a child that shares the memory */
void report(uint32_t kind, uint32_t a, uint32_t b, const char *text);
/* Reports the error of the step with errno and ends the process. */
void fail(enum step step, const char *path) __attribute__((noreturn));
/* From now on the kernel kills this process when the engine ends. */
void die_with_engine(void);
#endif
