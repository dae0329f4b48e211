/*
 * What a process in a container tries to get out. One line a check: `kind name result`, where the result is the name of
 * the errno, or "done". Kind "call": the arguments are harmless or invalid, so that only a filter or a missing
 * capability can answer EPERM. Kind "file": a file that must not be opened for writing (w) or reading (r).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <dirent.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static void say(const char *kind, const char *name, long result)
{
	printf("%s %s %s\n", kind, name, result >= 0 ? "done" : strerrorname_np(errno));
}
#define CALL(name, expression) (errno = 0, say("call", name, (long)(expression)))

static void calls(void)
{
	static char block[256];
	CALL("mount", mount("none", "/tmp", "tmpfs", 0, NULL));
	CALL("mount-bind", mount("/", "/tmp", NULL, MS_BIND, NULL));
	CALL("mount-remount", mount(NULL, "/proc/sys", NULL, MS_REMOUNT | MS_BIND, NULL));
	CALL("umount2", umount2("/proc/sys", MNT_DETACH));
	CALL("pivot_root", syscall(SYS_pivot_root, "/nowhere", "/nowhere"));
	CALL("fsopen", syscall(430, "tmpfs", 0));
	CALL("fsconfig", syscall(431, -1, 0, 0, 0, 0));
	CALL("fsmount", syscall(432, -1, 0, 0));
	CALL("fspick", syscall(433, -1, "/", 0));
	CALL("open_tree", syscall(428, -100, "/", 1));
	CALL("move_mount", syscall(429, -1, "", -1, "", 4));
	CALL("mount_setattr", syscall(442, -1, "", 0x1000, block, 32));
	CALL("setns", syscall(SYS_setns, -1, 0));
	static const struct { const char *name; unsigned long flag; } spaces[] = {
		{ "user", 0x10000000 }, { "mnt", 0x20000 }, { "net", 0x40000000 }, { "pid", 0x20000000 },
		{ "cgroup", 0x2000000 }, { "ipc", 0x8000000 }, { "uts", 0x4000000 }, { "time", 0x80 },
	};
	for (size_t i = 0; i < sizeof spaces / sizeof *spaces; i++) {
		char name[64];
		snprintf(name, sizeof name, "unshare-%s", spaces[i].name);
		CALL(name, syscall(SYS_unshare, spaces[i].flag));
		if (spaces[i].flag == 0x80)
			continue; /* Not a flag of clone(2). */
		snprintf(name, sizeof name, "clone-%s", spaces[i].name);
		errno = 0;
		long pid = syscall(SYS_clone, spaces[i].flag | SIGCHLD, 0, 0, 0, 0);
		if (pid == 0)
			_exit(0);
		say("call", name, pid);
	}
	CALL("clone3", syscall(435, block, 0));
	CALL("open_by_handle_at", syscall(SYS_open_by_handle_at, -1, block, 0));
	CALL("bpf", syscall(SYS_bpf, 0, block, sizeof block));
	CALL("perf_event_open", syscall(SYS_perf_event_open, block, 0, -1, -1, 0));
	CALL("userfaultfd", syscall(SYS_userfaultfd, 0));
	CALL("io_uring_setup", syscall(425, 1, block));
	CALL("io_uring_enter", syscall(426, -1, 0, 0, 0, 0, 0));
	CALL("io_uring_register", syscall(427, -1, 0, 0, 0));
	CALL("keyctl", syscall(SYS_keyctl, 0, -3, 0, 0, 0));
	CALL("add_key", syscall(SYS_add_key, "user", "x", "x", 1, -3));
	CALL("request_key", syscall(SYS_request_key, "user", "x", "x", -3));
	CALL("kexec_load", syscall(SYS_kexec_load, -1L, -1L, 0, -1L));
	CALL("init_module", syscall(SYS_init_module, 0, 0, 0));
	CALL("finit_module", syscall(SYS_finit_module, -1, "", 0));
	CALL("delete_module", syscall(SYS_delete_module, "nothing", 0));
	CALL("reboot", syscall(SYS_reboot, 1, 2, 3, 0));
	CALL("swapon", syscall(SYS_swapon, "/nowhere", 0));
	CALL("swapoff", syscall(SYS_swapoff, "/nowhere"));
	CALL("acct", syscall(SYS_acct, "/nowhere"));
	CALL("settimeofday", syscall(SYS_settimeofday, 0, 1));
	CALL("clock_settime", syscall(SYS_clock_settime, 0, 0));
	CALL("sethostname", syscall(SYS_sethostname, "x", 1));
	CALL("setdomainname", syscall(SYS_setdomainname, "x", 1));
	CALL("quotactl", syscall(SYS_quotactl, 0, 0, 0, 0));
	CALL("move_pages", syscall(SYS_move_pages, 1, 0, 0, 0, 0, 0));
	CALL("kcmp", syscall(SYS_kcmp, 1, getpid(), 0, 0, 0));
	CALL("pidfd_getfd", syscall(438, -1, 0, 0));
	CALL("fanotify_init", syscall(SYS_fanotify_init, 0, 0));
	CALL("personality", syscall(SYS_personality, 0x400000));
	CALL("lookup_dcookie", syscall(SYS_lookup_dcookie, 0, 0, 0));
	CALL("syslog", syscall(SYS_syslog, 3, block, sizeof block));
	CALL("vhangup", syscall(SYS_vhangup));
	CALL("ptrace-init", ptrace(PTRACE_SEIZE, 1, 0, 0));
	struct iovec vector = { block, 8 };
	CALL("process_vm_readv-init", syscall(SYS_process_vm_readv, 1, &vector, 1, &vector, 1, 0));
	CALL("socket-alg", socket(38, SOCK_SEQPACKET, 0));
	CALL("socket-vsock", socket(40, SOCK_STREAM, 0));
#ifdef __x86_64__
	CALL("iopl", syscall(SYS_iopl, 3));
	CALL("ioperm", syscall(SYS_ioperm, 0, 1, 1));
	CALL("modify_ldt-x32", syscall(0x40000000L | 154, 0, 0, 0));
	CALL("mount-x32", syscall(0x40000000L | 165, "none", "/tmp", "tmpfs", 0, 0));
	CALL("keyctl-x32", syscall(0x40000000L | 250, 0, -3, 0, 0, 0));
#endif
}

#ifdef __x86_64__
static long i386(long number, uint32_t a, uint32_t b, uint32_t c)
{
	long result;
	__asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(a), "c"(b), "d"(c), "S"(0), "D"(0)
			 : "memory", "r8", "r9", "r10", "r11");
	result = (int32_t)result;
	if (result < 0) {
		errno = (int)-result;
		return -1;
	}
	return result;
}
#endif

/* The same calls by the 32-bit entry: a filter that knows only one architecture lets them through. */
static void calls_i386(void)
{
#ifdef __x86_64__
	CALL("i386-mount", i386(21, 0, 0, 0));
	CALL("i386-unshare-user", i386(310, 0x10000000, 0, 0));
	CALL("i386-keyctl", i386(288, 0, (uint32_t)-3, 0));
	CALL("i386-bpf", i386(357, 0, 0, 0));
	CALL("i386-init_module", i386(128, 0, 0, 0));
	CALL("i386-socket-vsock", i386(359, 40, 1, 0));
	CALL("i386-socketcall", i386(102, 1, 0, 0));
	CALL("i386-socketcall-pair", i386(102, 8, 0, 0));
	CALL("i386-open_by_handle_at", i386(342, (uint32_t)-1, 0, 0));
	CALL("i386-io_uring_setup", i386(425, 1, 0, 0));
#endif
}

static void file(const char *path, const char *mode)
{
	int fd;
	char byte;
	errno = 0;
	fd = open(path, (*mode == 'w' ? O_WRONLY : O_RDONLY) | O_NONBLOCK);
	/* A masked file is /dev/null: it reads as empty. */
	if (fd >= 0 && *mode == 'r' && read(fd, &byte, 1) == 0) {
		errno = ENODATA;
		fd = -1;
	}
	printf("file %s:%s %s\n", mode, path, fd >= 0 ? "done" : strerrorname_np(errno));
	if (fd >= 0)
		close(fd);
}

static void device(const char *name, mode_t type, unsigned major, unsigned minor)
{
	char path[64];
	snprintf(path, sizeof path, "/dev/shm/%s", name);
	mknod(path, type | 0666, makedev(major, minor));
	file(path, "r");
	snprintf(path, sizeof path, "/dev/%s", name);
	if (mknod(path, type | 0666, makedev(major, minor)) == 0 || errno == EEXIST)
		file(path, "r");
}

static void files(void)
{
	static const char *const writes[] = {
		"/proc/sysrq-trigger", "/proc/sys/kernel/core_pattern", "/proc/sys/vm/drop_caches", "/proc/sys/kernel/modprobe",
		"/proc/sys/fs/binfmt_misc/register", "/proc/sys/kernel/hostname", "/proc/sys/net/ipv4/ip_forward",
		"/sys/kernel/uevent_helper", "/sys/power/state", "/proc/irq/default_smp_affinity", "/proc/kcore",
		"/sys/fs/cgroup/release_agent", "/sys/fs/cgroup/cgroup.procs", "/sys/fs/cgroup/memory/release_agent",
		"/proc/1/mem", "/proc/bus/pci/00/00.0", "/sys/kernel/mm/ksm/run", "/dev/mem", "/dev/kmem",
		"/proc/1/exe", "/sys/fs/cgroup/memory.max",
	};
	static const char *const reads[] = {
		"/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/sched_debug", "/proc/interrupts", "/proc/latency_stats",
		"/sys/kernel/debug/sched/features", "/sys/firmware/dmi/tables/DMI", "/proc/kmsg", "/dev/kmsg", "/dev/mem",
		"/dev/port", "/dev/fuse", "/dev/kvm", "/dev/loop-control", "/dev/net/tun", "/proc/1/environ", "/proc/1/maps",
		"/proc/1/exe", "/proc/1/fd/3", "/proc/1/fd/4", "/proc/1/fd/5", "/proc/1/cwd/proc", "/proc/1/root/proc",
	};
	for (size_t i = 0; i < sizeof writes / sizeof *writes; i++)
		file(writes[i], "w");
	for (size_t i = 0; i < sizeof reads / sizeof *reads; i++)
		file(reads[i], "r");
	static const struct { const char *name; unsigned major, minor; } characters[] = {
		{ "own-mem", 1, 1 }, { "own-port", 1, 4 }, { "own-kmsg", 1, 11 }, { "own-fuse", 10, 229 }, { "own-kvm", 10, 232 },
		{ "own-loop-control", 10, 237 }, { "own-tun", 10, 200 }, { "own-tty1", 4, 1 }, { "own-vsock", 10, 241 },
	};
	for (size_t i = 0; i < sizeof characters / sizeof *characters; i++)
		device(characters[i].name, S_IFCHR, characters[i].major, characters[i].minor);
	static const unsigned blocks[] = { 7, 8, 252, 253, 254, 259 };
	for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
		char name[32];
		snprintf(name, sizeof name, "own-block-%u", blocks[i]);
		device(name, S_IFBLK, blocks[i], 0);
	}
}

static void state(void)
{
	char line[4096];
	printf("state pid %d\n", (int)getpid());
	FILE *status = fopen("/proc/self/status", "r");
	while (status && fgets(line, sizeof line, status))
		if (strncmp(line, "Cap", 3) == 0 || strncmp(line, "Seccomp:", 8) == 0 || strncmp(line, "NoNewPrivs:", 11) == 0)
			printf("state %s", line);
	DIR *fds = opendir("/proc/self/fd");
	for (struct dirent *entry; fds && (entry = readdir(fds));)
		if (entry->d_name[0] != '.' && atoi(entry->d_name) != dirfd(fds) && atoi(entry->d_name) != fileno(status))
			printf("state fd %s\n", entry->d_name);
	struct stat here, parent;
	chdir("/");
	printf("state parent-of-root %s\n",
	       stat("/", &here) == 0 && stat("..", &parent) == 0 && here.st_ino == parent.st_ino ? "itself" : "another");
}

/* What Docker's capabilities and profile leave to a container: each has its line in SECURITY.md. */
static void left(void)
{
	char own = 0, seen = 0;
	struct iovec to = { &seen, 1 }, from = { &own, 1 };
#define LEFT(name, expression) (errno = 0, say("left", name, (long)(expression)))
	LEFT("chroot", chroot("/"));
	LEFT("socket-packet", socket(17, SOCK_RAW, 0));
	LEFT("socket-raw", socket(AF_INET, SOCK_RAW, 1));
	LEFT("socket-netlink-audit", socket(16, SOCK_RAW, 9));
	LEFT("socket-xdp", socket(44, SOCK_RAW, 0));
	LEFT("mknod", mknod("/tmp/left", S_IFCHR | 0666, makedev(1, 3)));
	LEFT("process_vm_readv-own", syscall(SYS_process_vm_readv, getpid(), &to, 1, &from, 1, 0));
	LEFT("keyring-join", syscall(SYS_keyctl, 1, 0));
	LEFT("oom_score_adj-lower", write(open("/proc/self/oom_score_adj", O_WRONLY), "-1", 2));
	LEFT("adjtimex-write", syscall(SYS_adjtimex, &(char[208]){ 1 }));
	LEFT("tiocsti", ioctl(0, 0x5412, "x"));
	unlink("/tmp/left");
}

/* With an argument only the calls: with all capabilities the files of PID 1 can be opened, and its reports taken. */
int main(int argc, char **argv)
{
	(void)argv;
	setvbuf(stdout, NULL, _IONBF, 0);
	state();
	if (argc == 1)
		files();
	calls();
	calls_i386();
	left();
	return 0;
}
