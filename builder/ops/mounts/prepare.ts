import { TsbuildError } from "../../../native/errors.ts";
import type {
  Attachments,
  FileMount,
  FileSystemMount,
  Mount,
  OverlayMount,
  SocketMount,
} from "../../../runtime/index.ts";
import { lowerDirs, type Snapshot } from "../../../store/snapshot/snapshotter.ts";
import type { RunBind, RunMount, RunSecret, RunSocket, RunTmpfs } from "../../graph/opspec.ts";
import { scratchDirectory } from "../../base/scratch-directory.ts";
import type { OpContext } from "../../solve/op.ts";
import type { ConnectionHandler, SshSource } from "../../inputs/ssh/agents.ts";
import { resolveInRoot, statInRoot } from "../../inputs/files/resolve.ts";
import { SnapshotTree } from "../../inputs/files/snapshot-tree.ts";
import { takeCaches } from "./cache.ts";
import type { MountResources } from "./resources.ts";
import { now } from "../../../native/clock.ts";

/** What a RUN gets by its mounts, for as long as it is held. */
export interface PreparedMounts extends AsyncDisposable {
  readonly mounts: readonly Mount[];
  /** Secrets, and who answers at sockets. */
  readonly attachments: Attachments;
  /** Variables with secrets: for the process alone. */
  readonly env: readonly string[];
}

interface Prepared {
  readonly mounts: readonly Mount[];
  readonly env?: readonly string[];
  readonly file?: { readonly name: string; readonly content: Uint8Array };
  readonly socket?: { readonly name: string; readonly connected: ConnectionHandler };
}

/** @throws E_SECRET_NOT_FOUND, E_SSH_NOT_FOUND, E_MOUNT_SOURCE */
export async function prepareMounts(resources: MountResources): Promise<PreparedMounts> {
  await using stack = new AsyncDisposableStack();
  const caches = await takeCaches(resources, stack);
  const made: Prepared[] = [];
  for (const mount of resources.mounts) {
    const cache = caches.get(mount);
    made.push(cache === undefined ? await prepare(mount, resources, stack) : { mounts: [cache] });
  }
  const held = stack.move();
  return {
    mounts: made.flatMap(({ mounts }) => mounts),
    attachments: {
      files: new Map(made.flatMap(({ file }) => (file === undefined ? [] : [[file.name, file.content]]))),
      sockets: new Map(made.flatMap(({ socket }) => (socket === undefined ? [] : [[socket.name, socket.connected]]))),
    },
    env: made.flatMap(({ env = [] }) => env),
    [Symbol.asyncDispose]: async () => await held.disposeAsync(),
  };
}

async function prepare(mount: RunMount, resources: MountResources, stack: AsyncDisposableStack): Promise<Prepared> {
  switch (mount.kind) {
    case "bind":
      return { mounts: [bindMount(mount, resources, stack)] };
    case "tmpfs":
      return { mounts: [tmpfsMount(mount)] };
    case "secret":
      return await secretMount(mount, resources);
    case "ssh":
      return sshMount(mount, resources.ssh);
    case "cache":
      throw new RangeError(`cache ${mount.id} was not taken`);
    default:
      return mount satisfies never;
  }
}

/** Part of another file system; what is written lands in a directory that is thrown away. */
function bindMount(mount: RunBind, { inputs, context }: MountResources, stack: AsyncDisposableStack): OverlayMount {
  const { target, source } = mount;
  const snapshot = inputs[mount.input]?.snapshot;
  checkSource(snapshot, source);
  const directory = stack.use(scratchDirectory(context.store.scratch, "bind-"));
  const part = (name: string): string => directory.make(name);
  const below = lowerDirs(snapshot);
  // Without an upper directory the kernel wants two.
  const missing = Math.max(0, (mount.readonly ? 2 : 1) - below.length);
  const lower = [...below, ...["empty", "empty2"].slice(0, missing).map(part)];
  if (mount.readonly) return { kind: "overlay", target, attributes: ["ro"], layers: { lower }, inside: source };
  const layers = { lower, upper: part("upper"), work: part("work") };
  return { kind: "overlay", target, attributes: [], layers, inside: source };
}

/** Better told by us than by the kernel. */
function checkSource(snapshot: Snapshot | undefined, source: string): void {
  if (source === "/") return;
  if (snapshot !== undefined) {
    using tree = SnapshotTree.open(snapshot, "the mount's source");
    if (statInRoot(tree.root, resolveInRoot(tree.root, source)) !== undefined) return;
  }
  throw new TsbuildError(`Cannot mount ${JSON.stringify(source)}: it is not in what the mount reads from`, {
    code: "E_MOUNT_SOURCE",
    hint: "check source= and from=",
  });
}

function tmpfsMount({ target, size, readonly }: RunTmpfs): FileSystemMount {
  const data = size === undefined ? [] : [`size=${size}`];
  const attributes = ["nosuid", ...(readonly ? (["ro"] as const) : [])] as const;
  return { kind: "filesystem", type: "tmpfs", source: "tmpfs", target, attributes, data };
}

async function secretMount(mount: RunSecret, { secrets, context }: MountResources): Promise<Prepared> {
  const { id, target, env, mode, uid, gid } = mount;
  const content = await secrets.get(id);
  if (content?.byteLength === 0) warnOfEmpty(id, context);
  if (content === undefined) {
    if (!mount.required) return { mounts: [] };
    throw new TsbuildError(`Cannot run the step: it needs the secret ${JSON.stringify(id)}, which was not given`, {
      code: "E_SECRET_NOT_FOUND",
      hint: `--secret id=${id},src=FILE or --secret id=${id},env=VARIABLE`,
    });
  }
  const name = `secret:${id}`;
  const mounts = target === undefined ? [] : [fileMount({ target, attachment: name, mode, uid, gid })];
  return {
    mounts,
    file: { name, content },
    env: env === undefined ? [] : [`${env}=${variableText(id, content)}`],
  };
}

function fileMount(file: {
  readonly target: string;
  readonly attachment: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}): FileMount {
  const { attachment, mode, ...rest } = file;
  const isProgram = (mode & 0o111) !== 0;
  const attributes = ["ro", "nosuid", "nodev", ...(isProgram ? [] : (["noexec"] as const))] as const;
  return { kind: "file", ...rest, mode, attributes, content: { attachment } };
}

function sshMount({ id, target, required, mode, uid, gid }: RunSocket, ssh: SshSource | undefined): Prepared {
  const connected = ssh?.get(id);
  if (connected !== undefined) {
    const name = `ssh:${id}`;
    const attributes = ["nosuid", "nodev", "noexec"] as const;
    const mount: SocketMount = {
      kind: "socket",
      target,
      attributes,
      mode: mode & 0o777,
      uid,
      gid,
      attachment: name,
    };
    return { mounts: [mount], socket: { name, connected } };
  }
  if (!required) return { mounts: [] };
  throw new TsbuildError(`Cannot run the step: it needs the SSH agent ${JSON.stringify(id)}, which was not given`, {
    code: "E_SSH_NOT_FOUND",
    hint: `--ssh ${id} for your own agent, or --ssh ${id}=SOCKET or --ssh ${id}=KEY`,
  });
}

/** Such as a variable that is not set: hardly what is meant, and BuildKit takes it. */
function warnOfEmpty(id: string, { emit }: OpContext): void {
  emit({ kind: "warning", time: now(), message: `The secret ${JSON.stringify(id)} is empty` });
}

function variableText(id: string, content: Uint8Array): string {
  const text = Buffer.from(content).toString();
  if (!text.includes("\0")) return text;
  throw new TsbuildError(`Cannot give the secret ${JSON.stringify(id)} in a variable: it has a zero byte`, {
    code: "E_SECRET_READ",
    hint: "mount it as a file: target=",
  });
}
