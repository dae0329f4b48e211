import type { Digest } from "../../store/oci/digest.ts";
import type { FileMode } from "../base/patterns/file-mode.ts";
import type { Ulimit } from "../base/ulimit.ts";
import type { Platform } from "../../store/oci/platform.ts";

/** The empty file system. */
export interface ScratchOp {
  readonly kind: "scratch";
}

/** The layers of an image, pinned by the digest of its manifest. */
export interface ImageOp {
  readonly kind: "image";
  /** Normalised, without digest: `docker.io/library/debian:12`. */
  readonly ref: string;
  readonly manifest: Digest;
  /** ChainID of its layers: what its file system is keyed by. */
  readonly chain: Digest;
  readonly platform: Platform;
}

/** A directory of the host, filtered by its ignore file. Keyed by the content that a step uses of it, never as a whole. */
export interface ContextOp {
  readonly kind: "context";
  /** "" is the build context, others are --build-context's. */
  readonly name: string;
}

/** A file from a URL, or a tree. Keyed by its content. */
export interface HttpOp {
  readonly kind: "http";
  /** Without user and password, which are no part of a graph. */
  readonly url: string;
  /** The name of the file. */
  readonly name: string;
  /** `sha256:...`, sha384 or sha512: what the content has to be. */
  readonly checksum?: string;
  /** What is in the file, if it is an archive; otherwise a directory with the file. */
  readonly tree?: true;
}

/** Files of a git repository. Keyed by the commit. */
export interface GitOp {
  readonly kind: "git";
  /** For git itself, without user and password, which are no part of a graph. */
  readonly remote: string;
  /** A branch, tag, full name or commit; default: the remote's own branch. */
  readonly ref?: string;
  readonly subdir?: string;
  /** The beginning of the hash of the commit, or of the annotated tag. */
  readonly checksum?: string;
  /** The checksum is what is fetched, whatever the ref means now. */
  readonly fetchByCommit?: true;
  readonly keepGitDir?: true;
  readonly skipSubmodules?: true;
  /** Files are as old as the commit. */
  readonly commitTime?: true;
}

/** The body of a heredoc as a file of its own. `content` is part of every key. */
export interface InlineFile {
  readonly name: string;
  readonly content: string;
}

/** What RUN --mount puts over the root file system. `target` is absolute; `input` an index into the vertex's inputs. */
export type RunMount = RunBind | RunCache | RunTmpfs | RunSecret | RunSocket;

/** Part of an input; what is written to it is thrown away. */
export interface RunBind {
  readonly kind: "bind";
  readonly input: number;
  /** Absolute inside the input. */
  readonly source: string;
  readonly target: string;
  readonly readonly: boolean;
}

/** A directory that outlives the build. Neither its content nor its place is part of a key. */
export interface RunCache {
  readonly kind: "cache";
  /** With the namespace of the build. */
  readonly id: string;
  readonly target: string;
  readonly sharing: "shared" | "private" | "locked";
  readonly readonly: boolean;
  /** Absolute inside the cache: what of it is mounted, which must be there; default all. */
  readonly source?: string;
  /** What it holds when it is new: part of an input. */
  readonly seed?: { readonly input: number; readonly source: string };
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

export interface RunTmpfs {
  readonly kind: "tmpfs";
  readonly target: string;
  readonly readonly: boolean;
  /** Bytes. */
  readonly size?: number;
}

/** A secret by its name: a file, a variable or both. Its value is in no graph. */
export interface RunSecret {
  readonly kind: "secret";
  readonly id: string;
  readonly target?: string;
  readonly env?: string;
  readonly required: boolean;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** The socket of an SSH agent. */
export interface RunSocket {
  readonly kind: "ssh";
  readonly id: string;
  readonly target: string;
  readonly required: boolean;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** RUN. `inputs[0]` is the root file system, the others are what `mounts` read from. */
export interface RunOp {
  readonly kind: "run";
  readonly args: readonly string[];
  /** ENV and declared ARGs, in order. */
  readonly env: readonly string[];
  readonly cwd: string;
  /** As USER wrote it; "" is root. */
  readonly user: string;
  readonly network: "default" | "none" | "host";
  /** A heredoc that begins with `#!`: /dev/pipes/NAME, 0755, never part of the layer. */
  readonly script?: InlineFile;
  /** Default: buildkitsandbox. */
  readonly hostname?: string;
  readonly mounts?: readonly RunMount[];
  /** "insecure": every capability, no filter of system calls, no hidden paths, every device. */
  readonly security?: "insecure";
  /** Full names of CDI devices, `vendor.com/class=name`: what they do with a container is the machine's, and in no key. */
  readonly devices?: readonly string[];
  readonly limits?: RunLimits;
}

/** What the build gives every RUN that a program can see. Addresses of hosts may differ from machine to machine. */
export interface RunLimits {
  readonly hosts?: readonly string[];
  readonly ulimits?: readonly Ulimit[];
  /** Bytes of /dev/shm. */
  readonly shmSize?: number;
}

/** One source of a COPY. */
export interface CopySource {
  /** Index into the vertex's inputs. */
  readonly input: number;
  /** Absolute inside the source; may hold wildcards of Go's filepath.Match. */
  readonly path: string;
  /** --parents: what is copied below `path`, relative to it, as an ignore file's pattern. */
  readonly include?: string;
  /** --parents without wildcards: absolute; nothing copied at or below it is an error. */
  readonly required?: string;
}

/** COPY and ADD. `inputs[0]` is what is written to, the others are read from. */
export interface CopyOp {
  readonly kind: "copy";
  readonly sources: readonly CopySource[];
  /** Heredocs, copied after the sources: files of root's, 0644. */
  readonly inline?: readonly InlineFile[];
  /** Absolute; a trailing slash makes it a directory. */
  readonly dest: string;
  readonly chown?: string;
  readonly chmod?: FileMode;
  /** Patterns of what is left out, relative to each source. */
  readonly exclude?: readonly string[];
  /** Made over nothing, for a LinkOp to stack: missing parents are 0755 whatever `chmod`. */
  readonly link?: boolean;
  /** ADD: archives among the files are unpacked. */
  readonly unpack: boolean;
  /** ADD: archives from URLs are unpacked. */
  readonly unpackUrls?: boolean;
  /** Seconds since the epoch for what is created. */
  readonly epoch?: number;
}

/** COPY --link: the layer of `inputs[1]`, which stands on nothing, over `inputs[0]`. */
export interface LinkOp {
  readonly kind: "link";
}

/** --squash: the layers of `inputs[0]` over those of `inputs[1]` (without it: all) as one. */
export interface SquashOp {
  readonly kind: "squash";
  readonly epoch?: number;
}

/** WORKDIR: the directory and its missing parents, 0755, owned by `user`. */
export interface MkdirOp {
  readonly kind: "mkdir";
  readonly path: string;
  readonly user: string;
  readonly epoch?: number;
}

/** What a vertex does: plain JSON, so that a graph can be printed, stored and compared. */
export type OpSpec = ScratchOp | ImageOp | ContextOp | HttpOp | GitOp | RunOp | CopyOp | LinkOp | SquashOp | MkdirOp;
