#ifndef TSBUILD_CAPABILITIES_H
#define TSBUILD_CAPABILITIES_H
#include <stdint.h>
/* What a program may ever get by execve; bit n = capability n. Fails by report. */
void drop_bounding(uint64_t keep);
/* What the process has from now on: permitted and effective, nothing inheritable or ambient. Fails by report. */
void set_capabilities(uint64_t keep);
#endif
