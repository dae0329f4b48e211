import { posix } from "node:path";
import type { Flag, RunInstruction } from "../../dockerfile/ast.ts";
import type { SourceLocation } from "../../base/location.ts";
import { MountFlagError, parseMountFlag, type MountFlag } from "../../dockerfile/mount-flag.ts";
import type { RunMount } from "../../graph/opspec.ts";
import { makeVertex, scratchVertex, type Vertex } from "../../graph/vertex.ts";
import { expandIn, failAt, type DispatchInput } from "./context.ts";

type Input = DispatchInput<RunInstruction>;

/** The mounts of a RUN and the vertices that they read from. */
export interface RunMounts {
  readonly mounts: readonly RunMount[];
  readonly inputs: readonly Vertex[];
  /** The socket of the first ssh mount: the step's agent. */
  readonly agent: string | undefined;
}

/** One flag being given its meaning. `slot`: that of the step. */
interface Reading {
  readonly input: Input;
  readonly flag: Flag;
  readonly mount: MountFlag;
  readonly slot: string;
  readonly inputs: Vertex[];
  readonly sockets: number;
}

/**
 * What the --mount flags of a RUN say; in the order of their targets, so that one may lie within another. Inputs begin
 * at index 1 of the step's. @throws E_MOUNT_FLAG, E_EXPAND
 */
export function runMounts(input: Input, slot: string): RunMounts {
  const inputs: Vertex[] = [];
  const mounts: RunMount[] = [];
  for (const flag of input.instruction.flags.filter(({ name }) => name === "mount")) {
    const mount = readFlag(input, flag);
    const sockets = mounts.filter(({ kind }) => kind === "ssh").length;
    mounts.push(meaning({ input, flag, mount, slot, inputs, sockets }));
  }
  const agent = mounts.find(({ kind }) => kind === "ssh")?.target;
  return { inputs, agent, mounts: mounts.toSorted((a, b) => byTarget(a.target ?? "", b.target ?? "")) };
}

function byTarget(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function readFlag(input: Input, flag: Flag): MountFlag {
  try {
    return parseMountFlag(flag.value, (value) => expandIn(input, value, flag.location));
  } catch (error) {
    if (!(error instanceof MountFlagError)) throw error;
    throw mountError(input, flag, error);
  }
}

function mountError(
  input: Input,
  flag: Flag,
  error: { readonly message: string; readonly field?: string; readonly hint?: string | undefined },
): Error {
  const location = fieldLocation(input, flag, error.field ?? "");
  const { message, hint } = error;
  return failAt(input.context, location, { code: "E_MOUNT_FLAG", message, ...(hint === undefined ? {} : { hint }) });
}

/** Where the field stands in the Dockerfile, if it stands there as it was read. */
function fieldLocation({ context }: Input, { location }: Flag, field: string): SourceLocation {
  const { file, start, end } = location;
  const line = context.source.split(/\r?\n/)[start.line - 1] ?? "";
  const at = field === "" ? -1 : line.indexOf(field, start.column - 1);
  if (start.line !== end.line || at < 0 || at + field.length > end.column - 1) return location;
  const column = at + 1;
  return { file, start: { line: start.line, column }, end: { line: start.line, column: column + field.length } };
}

function meaning(reading: Reading): RunMount {
  const { mount } = reading;
  switch (mount.type) {
    case "bind":
      return {
        kind: "bind",
        ...bindSource(reading),
        target: targetOf(reading, mount.target ?? ""),
        readonly: mount.readonly,
      };
    case "cache":
      return cacheMount(reading);
    case "tmpfs":
      return {
        kind: "tmpfs",
        target: targetOf(reading, mount.target ?? ""),
        readonly: mount.readonly,
        ...(mount.size === undefined || mount.size === 0 ? {} : { size: mount.size }),
      };
    case "secret":
      return secretMount(reading);
    case "ssh":
      return {
        kind: "ssh",
        id: mount.id ?? "default",
        target: targetOf(reading, mount.target ?? `/run/buildkit/ssh_agent.${reading.sockets}`),
        required: mount.required,
        ...ownerOf(mount, 0o600),
      };
    default:
      return mount.type satisfies never;
  }
}

function ownerOf(
  { mode, uid, gid }: Partial<MountFlag>,
  defaultMode: number,
): { readonly mode: number; readonly uid: number; readonly gid: number } {
  return { mode: mode ?? defaultMode, uid: uid ?? 0, gid: gid ?? 0 };
}

/** Absolute; relative ones are below WORKDIR, as is none at all. */
function targetOf({ input, flag }: Reading, written: string): string {
  const target = posix.resolve("/", input.state.config.WorkingDir ?? "/", written);
  if (target !== "/") return target;
  throw mountError(input, flag, {
    message: "Cannot mount on /: it is the root file system",
    ...(written === "" ? {} : { field: written }),
    hint: "name a directory: target=/src",
  });
}

/**
 * What a bind reads. Of a context the step gets a copy: without what is ignored, root's, and the same to
 * the end, whatever happens to the directory.
 */
function bindSource(reading: Reading): { readonly input: number; readonly source: string } {
  const { mount, inputs, input, slot } = reading;
  const source = posix.resolve("/", mount.source ?? "");
  const { context, instruction } = input;
  const from = mount.from === undefined ? context.context : context.stageVertex(mount.from, instruction);
  const place = placeOf(from);
  if (place === undefined) return { input: addInput(inputs, from), source };
  const shown = source === "/" ? place : `${source.slice(1)} of ${place}`;
  const copied = makeVertex({
    op: {
      kind: "copy",
      sources: [{ input: 1, path: escapePattern(source) }],
      dest: copiedTo,
      unpack: false,
      ...(context.epoch === undefined ? {} : { epoch: context.epoch }),
    },
    inputs: [scratchVertex(`${slot}/mount/scratch`), from],
    name: `[internal] load ${shown} for a mount`,
    slot: `${slot}/mount${inputs.length}`,
    location: instruction.location,
  });
  return { input: addInput(inputs, copied), source: copiedTo };
}

/** What messages call a tree of files that is no file system of a stage or image. */
function placeOf({ op }: Vertex): string | undefined {
  if (op.kind === "context") return op.name === "" ? "the build context" : `the context ${op.name}`;
  return op.kind === "http" ? op.url : op.kind === "git" ? op.remote : undefined;
}

/** Where in a file system of its own the copy of a file or directory lies. */
const copiedTo = "/mount";

function addInput(inputs: Vertex[], vertex: Vertex): number {
  const known = inputs.findIndex(({ digest }) => digest === vertex.digest);
  return 1 + (known < 0 ? inputs.push(vertex) - 1 : known);
}

/** A path whose characters mean themselves where wildcards are understood. */
function escapePattern(path: string): string {
  return path.replaceAll(/[\\*?[\]]/g, (char) => `\\${char}`);
}

function cacheMount(reading: Reading): RunMount {
  const { mount, input } = reading;
  const target = targetOf(reading, mount.target ?? "");
  const id = mount.id ?? posix.normalize(mount.target ?? ".").replace(/(?<=.)\/$/, "");
  const { cacheNamespace } = input.context;
  const source = posix.resolve("/", mount.source ?? "");
  const part = mount.from === undefined && source !== "/" ? { source } : undefined;
  return {
    kind: "cache",
    id: cacheNamespace === "" ? id : `${cacheNamespace}/${id}`,
    target,
    sharing: mount.sharing ?? "shared",
    readonly: mount.readonly,
    ...(mount.from === undefined ? part : { seed: bindSource(reading) }),
    // As with BuildKit: a part belongs to whoever made it, and to the cache that has no owner of its own.
    ...ownerOf(part === undefined ? mount : {}, 0o755),
  };
}

function secretMount(reading: Reading): RunMount {
  const { mount, input, flag } = reading;
  const id = mount.source ?? mount.id ?? posix.basename(mount.target ?? "");
  const file = mount.target ?? (mount.env === undefined ? `/run/secrets/${posix.basename(id)}` : undefined);
  if (mount.env !== undefined && !/^[^=\0]+$/.test(mount.env)) {
    throw mountError(input, flag, {
      message: `Cannot give a secret in the variable ${JSON.stringify(mount.env)}: that is no name`,
      field: mount.env,
    });
  }
  return {
    kind: "secret",
    id,
    ...(file === undefined ? {} : { target: targetOf(reading, file) }),
    ...(mount.env === undefined ? {} : { env: mount.env }),
    required: mount.required,
    ...ownerOf(mount, 0o400),
  };
}
