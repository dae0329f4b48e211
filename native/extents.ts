import { SyscallError } from "./errors.ts";
import { call, seekFd } from "./syscall.ts";

const SEEK_DATA = 3;
const SEEK_HOLE = 4;

/** Below this size a file is read sooner than asked for its holes. */
export const worthAsking: number = 1 << 20;

/** A part of a file: a hole, which reads as zeros, or what may be anything. */
export interface Extent {
  readonly hole: boolean;
  readonly end: number;
}

/**
 * What is at an offset of a file of so many bytes. The descriptor's position is there afterwards, unless it is a hole:
 * that one need not be read. @see lseek(2)
 */
export function extentAt(fd: number, offset: number, size: number): Extent {
  const data = seekOrEnd(fd, offset, SEEK_DATA) ?? size;
  if (data > offset) return { hole: true, end: Math.min(data, size) };
  const end = seekOrEnd(fd, offset, SEEK_HOLE) ?? size;
  seekFd(fd, offset);
  return { hole: false, end: Math.min(end, size) };
}

/** undefined: there is none up to the file's end. A file that knows nothing of holes is data. */
function seekOrEnd(fd: number, offset: number, whence: number): number | undefined {
  try {
    return call("lseek", undefined, fd, offset, whence);
  } catch (error) {
    if (error instanceof SyscallError && error.errno === "ENXIO") return undefined;
    if (error instanceof SyscallError && error.errno === "EINVAL") return whence === SEEK_DATA ? offset : undefined;
    throw error;
  }
}
