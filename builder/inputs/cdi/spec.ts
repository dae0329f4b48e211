import { isKind, isName } from "./name.ts";

/** A file of a CDI directory: devices of one kind. */
export interface CdiSpec {
  readonly path: string;
  readonly kind: string;
  readonly annotations: Readonly<Record<string, string>>;
  /** Made when any of the devices is used. */
  readonly edits: ContainerEdits;
  readonly devices: readonly CdiDevice[];
}

export interface CdiDevice {
  readonly name: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly edits: ContainerEdits;
}

/** What a container gets with a device. */
export interface ContainerEdits {
  /** `NAME=value`. */
  readonly env: readonly string[];
  readonly deviceNodes: readonly DeviceNode[];
  readonly mounts: readonly CdiMount[];
  readonly additionalGids: readonly number[];
  /** What tsbuild does not do: `hooks`, `intelRdt`, `netDevices`. */
  readonly unsupported: readonly string[];
}

/** What is not given is that of the host's node. */
export interface DeviceNode {
  readonly path: string;
  readonly hostPath: string;
  readonly type: "b" | "c" | "u" | "p" | undefined;
  readonly major: number;
  readonly minor: number;
  readonly fileMode: number | undefined;
  /** Of `rwm`; "" is none. */
  readonly permissions: string;
  readonly uid: number | undefined;
  readonly gid: number | undefined;
}

export interface CdiMount {
  readonly hostPath: string;
  readonly containerPath: string;
  readonly type: string;
  readonly options: readonly string[];
}

/** Why a file is no CDI specification. */
export class SpecError extends Error {
  override readonly name: string = "SpecError";
}

const versions = ["0.1.0", "0.2.0", "0.3.0", "0.4.0", "0.5.0", "0.6.0", "0.7.0", "0.8.0", "1.0.0", "1.1.0"];
type Table = Readonly<Record<string, unknown>>;

/** Checks what JSON or YAML gave. A field that is not known is an error: it would be left out silently. @throws SpecError */
export function parseSpec(value: unknown, path: string): CdiSpec {
  const spec = table(value, "the file", ["cdiVersion", "kind", "annotations", "devices", "containerEdits"]);
  const version = text(spec, "cdiVersion").replace(/^v/, "");
  if (!versions.includes(version)) throw new SpecError(`cdiVersion ${JSON.stringify(version)} is not known`);
  const kind = text(spec, "kind");
  if (!isKind(kind)) throw new SpecError(`kind ${JSON.stringify(kind)} is no vendor/class`);
  const devices = list(spec["devices"], "devices").map(parseDevice);
  if (devices.length === 0) throw new SpecError("it has no devices");
  const names = new Set(devices.map(({ name }) => name));
  if (names.size < devices.length) throw new SpecError("a device is there twice");
  return { path, kind, annotations: annotations(spec), edits: parseEdits(spec["containerEdits"] ?? {}), devices };
}

function parseDevice(value: unknown): CdiDevice {
  const device = table(value, "a device", ["name", "annotations", "containerEdits"]);
  const name = text(device, "name");
  if (!isName(name)) throw new SpecError(`${JSON.stringify(name)} is no name of a device`);
  return { name, annotations: annotations(device), edits: parseEdits(device["containerEdits"] ?? {}) };
}

const unsupported = ["hooks", "intelRdt", "netDevices"] as const;

function parseEdits(value: unknown): ContainerEdits {
  const known = ["env", "deviceNodes", "mounts", "additionalGids", "additionalGIDs", ...unsupported];
  const edits = table(value ?? {}, "containerEdits", known);
  const env = list(edits["env"], "env").map((entry) => {
    if (typeof entry === "string" && /^[^=\0]+=[^\0]*$/.test(entry)) return entry;
    throw new SpecError(`env ${JSON.stringify(entry)} is no NAME=value`);
  });
  const gids = list(edits["additionalGids"] ?? edits["additionalGIDs"], "additionalGids");
  return {
    env,
    deviceNodes: list(edits["deviceNodes"], "deviceNodes").map(parseNode),
    mounts: list(edits["mounts"], "mounts").map(parseMount),
    additionalGids: gids.map((gid) => whole(gid, "additionalGids", 0xffff_fffe)).filter((gid) => gid !== 0),
    unsupported: unsupported.filter((name) => isGiven(edits[name])),
  };
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null && !(Array.isArray(value) && value.length === 0);
}

const nodeKeys = ["path", "hostPath", "type", "major", "minor", "fileMode", "permissions", "uid", "gid"];

function parseNode(value: unknown): DeviceNode {
  const node = table(value, "a device node", nodeKeys);
  const path = absolute(node, "path");
  const type = optionalText(node, "type") ?? "";
  const permissions = optionalText(node, "permissions") ?? "";
  if (!/^(?:[bcup]|)$/.test(type)) throw new SpecError(`type ${JSON.stringify(type)} of ${path} is not b, c, u or p`);
  if (permissions !== "none" && !/^[rwm]*$/.test(permissions))
    throw new SpecError(`permissions ${JSON.stringify(permissions)} of ${path} are not of r, w and m`);
  const number = (key: string, most: number): number | undefined =>
    node[key] === undefined || node[key] === null ? undefined : whole(node[key], `${key} of ${path}`, most);
  return {
    path,
    hostPath: isGiven(node["hostPath"]) && node["hostPath"] !== "" ? absolute(node, "hostPath") : path,
    type: type === "b" || type === "c" || type === "u" || type === "p" ? type : undefined,
    major: number("major", 0xfff) ?? 0,
    minor: number("minor", 0xfffff) ?? 0,
    fileMode: number("fileMode", 0xffff_ffff),
    permissions: permissions === "" ? "rwm" : permissions === "none" ? "" : permissions,
    uid: number("uid", 0xffff_fffe),
    gid: number("gid", 0xffff_fffe),
  };
}

function parseMount(value: unknown): CdiMount {
  const mount = table(value, "a mount", ["hostPath", "containerPath", "type", "options"]);
  const options = list(mount["options"], "options").map((option) => {
    if (typeof option === "string") return option;
    throw new SpecError(`the mount option ${JSON.stringify(option)} is no text`);
  });
  const type = optionalText(mount, "type") ?? "";
  const hostPath = text(mount, "hostPath");
  return { hostPath, containerPath: absolute(mount, "containerPath"), type, options };
}

function annotations(of: Table): Readonly<Record<string, string>> {
  const given = of["annotations"] ?? {};
  if (!isTable(given)) throw new SpecError("annotations is no table");
  return Object.fromEntries(Object.entries(given).map(([key, value]) => [key, String(value)]));
}

function isTable(value: unknown): value is Table {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function table(value: unknown, what: string, known: readonly string[]): Table {
  if (!isTable(value)) throw new SpecError(`${what} is no table`);
  const unknown = Object.keys(value).find((key) => !known.includes(key));
  if (unknown !== undefined) throw new SpecError(`${what} has the unknown field ${JSON.stringify(unknown)}`);
  return value;
}

function list(value: unknown, what: string): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value;
  throw new SpecError(`${what} is no list`);
}

function text(of: Table, key: string): string {
  const value = optionalText(of, key);
  if (value !== undefined && value !== "") return value;
  throw new SpecError(`${key} is missing`);
}

function optionalText(of: Table, key: string): string | undefined {
  const value = of[key];
  if (value === undefined || value === null) return undefined;
  if (typeof value === "string" && !value.includes("\0")) return value;
  throw new SpecError(`${key} is no text`);
}

function absolute(of: Table, key: string): string {
  const path = text(of, key);
  if (path.startsWith("/")) return path;
  throw new SpecError(`${key} ${JSON.stringify(path)} is not absolute`);
}

function whole(value: unknown, what: string, most: number): number {
  if (typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= most) return value;
  throw new SpecError(`${what} cannot be ${JSON.stringify(value)}`);
}
