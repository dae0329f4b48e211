#include "plan.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct reader {
	const unsigned char *at, *end;
	int bad;
};

static const void *take(struct reader *r, size_t size)
{
	const void *start = r->at;
	if (r->bad || (size_t)(r->end - r->at) < size) {
		r->bad = 1;
		return NULL;
	}
	r->at += size;
	return start;
}

static uint32_t u32(struct reader *r)
{
	uint32_t value = 0;
	const void *bytes = take(r, sizeof value);
	if (bytes)
		memcpy(&value, bytes, sizeof value);
	return value;
}

static uint64_t u64(struct reader *r)
{
	uint64_t value = 0;
	const void *bytes = take(r, sizeof value);
	if (bytes)
		memcpy(&value, bytes, sizeof value);
	return value;
}

/* Length, bytes and a NUL that is not counted: the plan stays mapped, so the string is used where it lies. */
static char *text(struct reader *r)
{
	uint32_t size = u32(r);
	char *start = (char *)take(r, (size_t)size + 1);
	if (start && start[size] != '\0')
		r->bad = 1;
	return r->bad ? "" : start;
}

static void *array(struct reader *r, uint32_t count, size_t size)
{
	/* No element is smaller than 4 bytes in the plan: a count beyond that is a lie. */
	if (r->bad || count > (size_t)(r->end - r->at) / 4) {
		r->bad = r->bad || count != 0;
		count = 0;
	}
	void *made = calloc((size_t)count + 1, size);
	if (!made)
		r->bad = 1;
	return made;
}

static struct strlist list(struct reader *r)
{
	struct strlist l = { .count = u32(r) };
	l.items = array(r, l.count, sizeof *l.items);
	for (uint32_t i = 0; !r->bad && i < l.count; i++)
		l.items[i] = text(r);
	return l;
}

static void read_mounts(struct reader *r, struct plan *p)
{
	p->system_mounts = u32(r);
	p->mount_count = u32(r);
	if (p->system_mounts > p->mount_count)
		r->bad = 1;
	p->mounts = array(r, p->mount_count, sizeof *p->mounts);
	for (uint32_t i = 0; !r->bad && i < p->mount_count; i++) {
		struct mount_entry *m = &p->mounts[i];
		m->type = text(r);
		m->source = text(r);
		m->target = text(r);
		m->data = text(r);
		m->attributes = u64(r);
		m->recursive = u32(r);
		m->inside = text(r);
		m->lower = list(r);
		m->upper = text(r);
		m->work = text(r);
		m->size = u32(r);
		m->content = take(r, m->size);
		m->mode = u32(r);
		m->uid = u32(r);
		m->gid = u32(r);
		m->socket = u32(r);
		m->kind = u32(r);
		m->major = u32(r);
		m->minor = u32(r);
	}
}

static void read_process(struct reader *r, struct plan *p)
{
	p->limit_count = u32(r);
	p->limits = array(r, p->limit_count, sizeof *p->limits);
	for (uint32_t i = 0; !r->bad && i < p->limit_count; i++) {
		p->limits[i].resource = u32(r);
		p->limits[i].soft = u64(r);
		p->limits[i].hard = u64(r);
	}
	p->capabilities = u64(r);
	p->no_new_privs = u32(r);
	p->uid = u32(r);
	p->gid = u32(r);
	p->group_count = u32(r);
	p->groups = array(r, p->group_count, sizeof *p->groups);
	for (uint32_t i = 0; !r->bad && i < p->group_count; i++)
		p->groups[i] = u32(r);
	p->cwd = text(r);
	p->seccomp_size = u32(r);
	p->seccomp = (void *)take(r, p->seccomp_size);
	p->args = list(r);
	p->env = list(r);
}

int plan_read(int fd, struct plan *p)
{
	struct stat st;
	if (fstat(fd, &st))
		return -1;
	void *map = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED)
		return -1;
	struct reader r = { .at = map, .end = (unsigned char *)map + st.st_size };
	if (u32(&r) != PLAN_MAGIC)
		r.bad = 1;
	p->cgroup_procs = list(&r);
	p->nodev = u32(&r);
	p->netns = text(&r);
	p->staging = text(&r);
	p->root_is_bind = u32(&r);
	p->lower = list(&r);
	p->upper = text(&r);
	p->work = text(&r);
	p->overlay_flags = u32(&r);
	p->readonly_root = u32(&r);
	read_mounts(&r, p);
	p->masked = list(&r);
	p->readonly_paths = list(&r);
	p->hostname = text(&r);
	p->loopback_up = u32(&r);
	p->terminal = u32(&r);
	p->terminal_columns = u32(&r);
	p->terminal_rows = u32(&r);
	p->init = u32(&r);
	read_process(&r, p);
	if (r.bad || r.at != r.end || p->args.count == 0) {
		errno = EBADMSG;
		return -1;
	}
	return 0;
}
