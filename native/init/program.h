#ifndef TSBUILD_PROGRAM_H
#define TSBUILD_PROGRAM_H
#include "plan.h"
#include <sys/types.h>
/*
 * Starts the container's program in a new process, and gives its pid once it runs. Where it cannot be started that has
 * been reported, and the result is -1.
 */
pid_t program_start(const struct plan *plan);
/* This process becomes the program. `exec` gets a byte right before, and is closed by it. */
void program_become(const struct plan *plan, int exec) __attribute__((noreturn));
#endif
