#!/bin/sh
# Writes syscalls.json: the number of every system call that seccomp.json names, for each architecture. Needs
# libseccomp-dev. Calls newer than the library have one number on all architectures; they are listed here.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
grep -o '"[a-z0-9_]*"' seccomp.json | tr -d '"' | sort -u > "$work/names"
cat > "$work/main.c" <<'C'
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
static const struct { const char *name; unsigned token; } arches[] = {
	{ "x86_64", SCMP_ARCH_X86_64 }, { "x86", SCMP_ARCH_X86 }, { "x32", SCMP_ARCH_X32 },
	{ "aarch64", SCMP_ARCH_AARCH64 }, { "arm", SCMP_ARCH_ARM },
};
static const struct { const char *name; int nr; } newer[] = {
	{ "process_madvise", 440 }, { "epoll_pwait2", 441 }, { "mount_setattr", 442 }, { "quotactl_fd", 443 },
	{ "landlock_create_ruleset", 444 }, { "landlock_add_rule", 445 }, { "landlock_restrict_self", 446 },
	{ "memfd_secret", 447 }, { "process_mrelease", 448 }, { "futex_waitv", 449 },
	{ "set_mempolicy_home_node", 450 }, { "cachestat", 451 }, { "fchmodat2", 452 }, { "map_shadow_stack", 453 },
	{ "futex_wake", 454 }, { "futex_wait", 455 }, { "futex_requeue", 456 }, { "statmount", 457 },
	{ "listmount", 458 }, { "lsm_get_self_attr", 459 }, { "lsm_set_self_attr", 460 }, { "lsm_list_modules", 461 },
	{ "mseal", 462 }, { "setxattrat", 463 }, { "getxattrat", 464 }, { "listxattrat", 465 },
	{ "removexattrat", 466 }, { "open_tree_attr", 467 }, { "file_getattr", 468 }, { "file_setattr", 469 },
	{ "listns", 470 },
};
/* The library gives its own negative numbers for the calls that i386 also has behind socketcall and ipc. */
static const struct { const char *name; int nr; } direct_x86[] = {
	{ "recvmmsg", 337 }, { "sendmmsg", 345 }, { "socket", 359 }, { "socketpair", 360 }, { "bind", 361 },
	{ "connect", 362 }, { "listen", 363 }, { "accept4", 364 }, { "getsockopt", 365 }, { "setsockopt", 366 },
	{ "getsockname", 367 }, { "getpeername", 368 }, { "sendto", 369 }, { "sendmsg", 370 }, { "recvfrom", 371 },
	{ "recvmsg", 372 }, { "shutdown", 373 }, { "semget", 393 }, { "semctl", 394 }, { "shmget", 395 },
	{ "shmctl", 396 }, { "shmat", 397 }, { "shmdt", 398 }, { "msgget", 399 }, { "msgsnd", 400 }, { "msgrcv", 401 },
	{ "msgctl", 402 },
};
int main(int argc, char **argv)
{
	char line[256];
	printf("{\n");
	for (unsigned i = 0; i < sizeof arches / sizeof *arches; i++) {
		FILE *names = fopen(argv[argc - 1], "r");
		const char *comma = "";
		printf("%s  \"%s\": {", i ? ",\n" : "", arches[i].name);
		while (names && fgets(line, sizeof line, names)) {
			line[strcspn(line, "\n")] = 0;
			int nr = seccomp_syscall_resolve_name_arch(arches[i].token, line);
			for (unsigned n = 0; arches[i].token == SCMP_ARCH_X86 && n < sizeof direct_x86 / sizeof *direct_x86; n++)
				if (!strcmp(direct_x86[n].name, line))
					nr = direct_x86[n].nr;
			for (unsigned n = 0; nr < 0 && n < sizeof newer / sizeof *newer; n++)
				if (!strcmp(newer[n].name, line))
					nr = newer[n].nr;
			if (arches[i].token == SCMP_ARCH_X86_64 && !strcmp(line, "uretprobe"))
				nr = 335;
			if (nr < 0)
				continue;
			if (arches[i].token == SCMP_ARCH_X32)
				nr &= ~0x40000000;
			printf("%s\"%s\":%d", comma, line, nr);
			comma = ",";
		}
		fclose(names);
		printf("}");
	}
	printf("\n}\n");
	return 0;
}
C
cc -o "$work/main" "$work/main.c" -lseccomp
"$work/main" "$work/names" > syscalls.json
