/* The mount API and paths inside the container's root. Every function gives -1 and errno on failure. */
#ifndef TSBUILD_FS_H
#define TSBUILD_FS_H
#include <linux/mount.h>
#include <stdint.h>

#ifndef MNT_DETACH /* of <sys/mount.h>, which does not go together with <linux/mount.h> */
#define MNT_DETACH 2
#endif
#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif
int mount(const char *, const char *, const char *, unsigned long, const void *);
int umount2(const char *, int);

extern int root_fd; /* the container's root */

int fs_open(const char *type);
/* A flag when value is NULL. */
int fs_set(int fs, const char *key, const char *value);
int fs_create(int fs);
int fs_mount(int fs, uint64_t attributes);
/* A new, detached mount of a file system made with `data` ("key=value,flag"). */
int new_mount(const char *type, const char *data, uint64_t attributes);
int tree_clone(int dirfd, const char *path, int recursive);
/* The node at that path, which is no symlink and nothing but that device; else ENODEV. `kind`: S_IFCHR or S_IFBLK. */
int device_clone(const char *path, uint32_t kind, uint64_t number);
int attach(int mount_fd, int target_fd);
int set_attributes(int fd, uint64_t attributes, int recursive);
/* A path below a directory, resolved as if that were `/`. */
int open_below(int directory, const char *path, uint64_t flags);
/* Nothing in the image can lead outside: the kernel resolves the path as if the root were `/`. */
int open_in_root(const char *path, uint64_t flags);
/* As open_in_root(), and nothing in the path may be a symlink. */
int open_plain(const char *path, uint64_t flags);
/* What a mount is to cover (O_PATH), made first when it is missing; what was made is reported. */
int open_target(const char *path, int directory);
/* A directory (O_PATH) that stays, with those above it, when it had to be made. */
int open_directory(const char *path);
#endif
