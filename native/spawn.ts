import { SyscallError } from "./errors.ts";
import { initExecutable } from "./executable.ts";
import { errnoByNumber, libcFunction } from "./syscall.ts";

/**
 * Starts tsbuild-init; gives its pid. The child has the sources as its descriptors from 0 on. "serve": it takes requests
 * from 3. "netns": it makes a network namespace, with the sockets of `words`, says so to 4 and keeps it until 3 ends.
 * "relay": it carries bytes from 0 to 1. posix_spawn by koffi takes 0.1 ms of the main thread, child_process.spawn 1 ms.
 * @throws SyscallError
 */
export function spawnProcess(
  sources: readonly number[],
  mode: "serve" | "netns" | "relay",
  words: readonly string[] = [],
): number {
  const executable = initExecutable();
  const actions = Buffer.alloc(128);
  const libc = spawnFunctions();
  libc.init(actions);
  try {
    // Any of the sources may be one of the targets: first to numbers above all that is used, then into place.
    const high = Math.max(executable, ...sources) + 1;
    for (const [at, fd] of sources.entries()) libc.dup2(actions, fd, high + at);
    for (const [at] of sources.entries()) libc.dup2(actions, high + at, at);
    const pid = Buffer.alloc(4);
    const error = Number(
      libc.spawn(
        pid,
        `/proc/self/fd/${executable}`,
        actions,
        null,
        ["tsbuild-init", mode, String(sources.length), ...words, null],
        [null],
      ),
    );
    if (error !== 0) throw new SyscallError("posix_spawn", errnoByNumber(error), "tsbuild-init");
    return pid.readInt32LE(0);
  } finally {
    libc.destroy(actions);
  }
}

type SpawnFunctions = Readonly<Record<"init" | "dup2" | "destroy" | "spawn", (...args: unknown[]) => unknown>>;
let functions: SpawnFunctions | undefined;

function spawnFunctions(): SpawnFunctions {
  functions ??= {
    init: libcFunction("int posix_spawn_file_actions_init(void *)"),
    dup2: libcFunction("int posix_spawn_file_actions_adddup2(void *, int, int)"),
    destroy: libcFunction("int posix_spawn_file_actions_destroy(void *)"),
    spawn: libcFunction("int posix_spawn(void *, const char *, void *, void *, const char **, const char **)"),
  };
  return functions;
}
