#ifndef TSBUILD_USERNS_H
#define TSBUILD_USERNS_H
/*
 * UID_MAP GID_MAP NEWUIDMAP NEWGIDMAP PROGRAM ARGS...: becomes the program in a user and a mount namespace of its own, as
 * their root. A map is triples "INSIDE OUTSIDE COUNT", joined by commas; without NEWUIDMAP it is written directly, and
 * may name only the caller. What cannot be done is told to the program in TSBUILD_USERNS_ERROR ("STEP ERRNO").
 */
int userns_exec(char **argv);
#endif
