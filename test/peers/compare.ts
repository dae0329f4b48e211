import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { extract } from "tar-stream";
import type { History, ImageConfig } from "../../store/oci/config.ts";
import { decompress } from "../../store/layer/compression.ts";
import { TarReader, type TarEntry } from "../../store/layer/tar/reader.ts";

/** What an image has at a path, as far as two builders must agree. */
interface Node {
  readonly facts: Readonly<Record<string, string>>;
  /** Seconds; of regular files only. */
  readonly mtime: number | undefined;
}

/** An image's file system and config, read from a docker archive. */
export interface FlatImage {
  readonly nodes: ReadonlyMap<string, Node>;
  readonly config: ImageConfig;
  readonly layers: number;
}

const configFields = [
  "Env",
  "Cmd",
  "Entrypoint",
  "WorkingDir",
  "User",
  "ExposedPorts",
  "Volumes",
  "Labels",
  "StopSignal",
  "Healthcheck",
  "OnBuild",
  "Shell",
] as const;
/** Mount points that runtimes leave behind; they say nothing about the build. */
const stubs = new Set(["dev", "proc", "sys", "etc", "etc/resolv.conf", "etc/hosts", "dev/pts", "dev/shm", "run"]);

/** Reads a docker archive (`docker save`). */
export async function readDockerArchive(file: string): Promise<FlatImage> {
  const blobs = new Map<string, Buffer>();
  const archive = extract();
  createReadStream(file).pipe(archive);
  for await (const entry of archive) {
    const chunks: Buffer[] = [];
    for await (const chunk of entry) if (chunk instanceof Uint8Array) chunks.push(Buffer.from(chunk));
    if (entry.header.type === "symlink") chunks.push(Buffer.from(`link:${entry.header.linkname}`));
    blobs.set(entry.header.name, Buffer.concat(chunks));
  }
  const [item]: { Config: string; Layers: string[] }[] = JSON.parse(String(blobs.get("manifest.json")));
  if (item === undefined) throw new Error(`${file} has no image`);
  const nodes = new Map<string, Node>();
  for (const name of item.Layers) await applyLayer(nodes, follow(blobs, name));
  return { nodes, config: JSON.parse(String(blobs.get(item.Config))), layers: item.Layers.length };
}

function follow(blobs: ReadonlyMap<string, Buffer>, name: string): Buffer {
  const blob = blobs.get(name) ?? Buffer.alloc(0);
  const link = blob.length < 300 && blob.toString().startsWith("link:") ? blob.toString().slice(5) : undefined;
  return link === undefined ? blob : follow(blobs, new URL(link, `file:///${name}`).pathname.slice(1));
}

async function applyLayer(nodes: Map<string, Node>, bytes: Buffer): Promise<void> {
  const lower = new Map(nodes);
  let current: { readonly entry: TarEntry; readonly hash: ReturnType<typeof createHash> } | undefined;
  const hide = (prefix: string): void => {
    for (const path of lower.keys()) if (path.startsWith(prefix)) nodes.delete(path);
  };
  const reader = new TarReader({
    entry: (entry) => (current = { entry, hash: createHash("sha256") }),
    data: (chunk) => current?.hash.update(chunk),
    end: () => {
      if (current === undefined) return;
      const path = current.entry.path.replace(/^(?:\.?\/)+/, "").replace(/\/$/, "");
      const [, parent = "", name = path] = /^(.*\/)?([^/]*)$/.exec(path) ?? [];
      if (name === ".wh..wh..opq") hide(parent);
      else if (name.startsWith(".wh.")) {
        nodes.delete(`${parent}${name.slice(4)}`);
        hide(`${parent}${name.slice(4)}/`);
      } else if (path !== "" && path !== ".") add(nodes, path, current.entry, current.hash.digest("hex"));
    },
  });
  const source = (async function* (): AsyncGenerator<Uint8Array> {
    yield bytes;
  })();
  for await (const chunk of decompress(source)) reader.push(chunk);
  reader.finish();
}

function add(nodes: Map<string, Node>, path: string, { stat }: TarEntry, sha256: string): void {
  if (stat.type !== "directory") {
    for (const known of nodes.keys()) if (known.startsWith(`${path}/`)) nodes.delete(known);
  }
  if (stat.type === "hardlink") {
    const target = nodes.get((stat.linkname ?? "").replace(/^(?:\.?\/)+/, ""));
    if (target !== undefined) nodes.set(path, target);
    return;
  }
  const xattrs = [...(stat.xattrs ?? [])].map(([key, value]) => `${key}=${Buffer.from(value).toString("hex")}`);
  nodes.set(path, {
    mtime: stat.type === "file" ? Number(stat.mtime / 1_000_000_000n) : undefined,
    facts: {
      type: stat.type,
      ...(stat.type === "symlink" ? { target: stat.linkname ?? "" } : { mode: stat.mode.toString(8) }),
      owner: `${stat.uid}:${stat.gid}`,
      ...(stat.type === "file" ? { sha256, size: String(stat.size) } : {}),
      ...(stat.devmajor === undefined ? {} : { device: `${stat.devmajor}:${stat.devminor}` }),
      ...(xattrs.length === 0 ? {} : { xattrs: xattrs.toSorted().join(" ") }),
    },
  });
}

/**
 * The differences of two images, one line each. The number of layers is not compared: a step that changed nothing makes
 * none here, and an empty one in Debian's dockerd. `since`: seconds; times after it come from the builds
 * themselves.
 */
export function compareImages(a: FlatImage, b: FlatImage, since: number): readonly string[] {
  const differences: string[] = [];
  for (const path of [...new Set([...a.nodes.keys(), ...b.nodes.keys()])].toSorted()) {
    const [x, y] = [a.nodes.get(path), b.nodes.get(path)];
    if (x === undefined || y === undefined) {
      if (!stubs.has(path)) differences.push(`${path}: only in the ${x === undefined ? "second" : "first"}`);
      continue;
    }
    for (const fact of new Set([...Object.keys(x.facts), ...Object.keys(y.facts)])) {
      if (x.facts[fact] !== y.facts[fact]) differences.push(`${path}: ${fact} ${x.facts[fact]} / ${y.facts[fact]}`);
    }
    const old = (time: number | undefined): boolean => time !== undefined && time < since;
    if (x.mtime !== y.mtime && (old(x.mtime) || old(y.mtime)))
      differences.push(`${path}: mtime ${x.mtime} / ${y.mtime}`);
  }
  for (const field of configFields) {
    const [x, y] = [a, b].map(({ config }) => canonical(field, config.config?.[field]));
    if (x !== y) differences.push(`config.${field}: ${x} / ${y}`);
  }
  for (const field of ["author", "architecture", "os", "variant"] as const) {
    const [x, y] = [a.config[field] ?? "", b.config[field] ?? ""];
    if (x !== y) differences.push(`${field}: ${x} / ${y}`);
  }
  return [...differences, ...compareHistories(a.config.history ?? [], b.config.history ?? [])];
}

function compareHistories(a: readonly History[], b: readonly History[]): readonly string[] {
  const [x, y] = [a.map(historyText), b.map(historyText)];
  const lines = Array.from({ length: Math.max(x.length, y.length) }, (_, at) => [x[at], y[at]] as const);
  return lines.flatMap(([one, other], at) => (one === other ? [] : [`history[${at}]: ${one} / ${other}`]));
}

/**
 * A line of history as BuildKit has it since Debian's version: that one has ports as a Go map, other words for health
 * checks, other ARGs of a RUN, and no values of ARG, no flags of COPY. Whether a step made a layer is not compared, see compareImages().
 */
function historyText({ created_by: by = "", comment = "", empty_layer: empty = false }: History): string {
  const text = by
    .replace(
      /^EXPOSE (?:map)?\[(.*)\]$/s,
      (_all, ports: string) => `EXPOSE ${[...new Set(ports.replaceAll(":{}", "").split(" "))].join(" ")}`,
    )
    .replace(/^RUN \|\d+ (?:\w+=\S* )*/, "RUN ")
    .replace(/^HEALTHCHECK .*$/s, "HEALTHCHECK")
    .replace(/^ARG (\w+)=.*$/s, "ARG $1")
    .replace(/^(COPY|ADD) (?:--\w+(?:=\S*)? )*/, "$1 ");
  const step = /^(?:RUN|COPY|ADD|WORKDIR) /.test(text);
  return `${text} [${comment}]${!step && empty ? " empty" : ""}`;
}

function canonical(field: string, value: unknown): string {
  if (value === undefined || value === null || value === "") return "";
  if (Array.isArray(value))
    return value.length === 0
      ? ""
      : JSON.stringify(field === "Env" ? value.map(String).toSorted((x, y) => x.localeCompare(y)) : value);
  if (typeof value !== "object") return JSON.stringify(value);
  const entries = Object.entries(value).toSorted(([x], [y]) => (x < y ? -1 : 1));
  return entries.length === 0 ? "" : JSON.stringify(entries);
}
