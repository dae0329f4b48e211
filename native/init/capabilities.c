#define _GNU_SOURCE
#include "capabilities.h"
#include "report.h"
#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

void drop_bounding(uint64_t keep)
{
	for (int cap = 0; cap < 64; cap++) {
		if ((keep & (1ull << cap)) || prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == 0)
			continue;
		if (errno == EINVAL) /* the kernel has no more of them */
			return;
		fail(STEP_CAPABILITIES, "bounding set");
	}
}

void set_capabilities(uint64_t keep)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2];
	memset(data, 0, sizeof data);
	for (int i = 0; i < 2; i++)
		data[i].effective = data[i].permitted = (uint32_t)(keep >> (32 * i));
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) && errno != EINVAL)
		fail(STEP_CAPABILITIES, "ambient set");
	if (syscall(SYS_capset, &header, data))
		fail(STEP_CAPABILITIES, "capset");
}
