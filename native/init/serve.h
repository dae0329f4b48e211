#ifndef TSBUILD_SERVE_H
#define TSBUILD_SERVE_H
/*
 * Clones a container's PID 1 for every request that comes on the socket, as a child of the engine, and tells the engine
 * when its program runs and when it has ended. When the engine closes its end, all of them are killed. A request is one message: struct request, and the descriptors of stdin, stdout, stderr, plan, status
 * pipe, and then the rest that struct handed names. Answers go to the status pipe. Layout: native/spawner.ts.
 */
int serve(int socket);
#endif
