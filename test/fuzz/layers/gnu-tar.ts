import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { Root } from "../../../native/path.ts";

const env = { LC_ALL: "C.UTF-8", PATH: "/usr/bin:/bin" };

/** Applies a layer over a plain directory: deletions first, then GNU tar. The image-spec in thirty lines. */
export function applyByTar(directory: string, layer: string): void {
  const run = (...args: string[]): string =>
    execFileSync("tar", ["--quoting-style=literal", ...args, "-f", layer], { encoding: "utf8", env, cwd: directory });
  const names = run("-t").split("\n").slice(0, -1);
  const types = run("-tv").split("\n").slice(0, -1);
  const entries = names.map((name, at) => ({ name: name.replace(/\/$/, ""), type: types[at]?.[0] ?? "" }));
  const { hidden, shown } = Object.groupBy(entries, ({ name }) => (base(name).startsWith(".wh.") ? "hidden" : "shown"));
  for (const { name } of hidden ?? []) hide(directory, name);
  for (const { name, type } of shown ?? []) makeRoom(directory, name, type === "d");
  run(
    "-xp",
    "--numeric-owner",
    "--xattrs",
    "--xattrs-include=*",
    "--exclude=.wh.*",
    "--overwrite-dir",
    "--warning=no-timestamp",
  );
}

function base(name: string): string {
  return name.slice(name.lastIndexOf("/") + 1);
}

function hide(directory: string, marker: string): void {
  const parent = marker.slice(0, marker.lastIndexOf("/") + 1);
  const name = base(marker).slice(".wh.".length);
  if (name !== ".wh..opq") return fs.rmSync(`${directory}/${parent}${name}`, { recursive: true, force: true });
  for (const one of fs.readdirSync(`${directory}/${parent}`))
    fs.rmSync(`${directory}/${parent}${one}`, { recursive: true });
}

/** tar merges directories and keeps the attributes that they have; everything else is replaced. */
function makeRoom(directory: string, path: string, isDirectory: boolean): void {
  const stat = fs.lstatSync(`${directory}/${path}`, { throwIfNoEntry: false });
  if (stat === undefined) return;
  if (!stat.isDirectory() || !isDirectory) return fs.rmSync(`${directory}/${path}`, { recursive: true });
  using root = Root.open(directory);
  const { dir: parent, name } = root.parent(path);
  using dir = parent;
  for (const key of dir.listxattr(name)) dir.removexattr(name, key);
}
