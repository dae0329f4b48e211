#ifndef TSBUILD_RELAY_H
#define TSBUILD_RELAY_H
/* Carries bytes from 0 to 1, one of which is a pipe, until there are no more. 0, or the errno of a failed write. */
int relay(void);
#endif
