import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { build } from "../../builder/index.ts";

const top = join(import.meta.dirname, "..", "..");
/** Root file systems are kept here between runs: making the Debian one takes a minute. */
const cache = process.env["TSBUILD_TEST_CACHE"] ?? join(top, ".cache");
const dockerfiles = join(import.meta.dirname, "..", "corpus", "base");

/** Base images that the project makes for itself from Debian's and npm's packages, and what each stands on. */
const bases: Readonly<Record<string, { readonly name: string; readonly needs: readonly string[] }>> = {
  busybox: { name: "busybox:1", needs: [] },
  debian: { name: "debian:12", needs: [] },
  python: { name: "python:3", needs: ["debian"] },
  golang: { name: "golang:1", needs: ["debian"] },
  node: { name: "node:24", needs: ["debian"] },
};

/** Names of the images, as FROM has them. */
export function baseNames(keys: Iterable<string>): readonly string[] {
  return [...keys].flatMap((key) => bases[key]?.name ?? []);
}

/** The keys of the bases that a Dockerfile's text names, with those they stand on, in order. */
export function basesOf(texts: Iterable<string>): readonly string[] {
  const all = [...texts].join("\n");
  const named = Object.entries(bases).filter(([, { name }]) => all.includes(name.split(":")[0] ?? name));
  return [...new Set(named.flatMap(([key, { needs }]) => [...needs, key]))];
}

/** Builds base images into a store. */
export async function buildBases(store: string, keys: readonly string[]): Promise<void> {
  for (const key of keys) {
    const base = bases[key];
    if (base === undefined) throw new RangeError(`no base ${key}`);
    const context = mkdtempSync(join(tmpdir(), "tsbuild-base-"));
    try {
      prepare(key, context);
      const dockerfile = join(dockerfiles, `${key}.Dockerfile`);
      await build({ root: store, context, dockerfile, tags: [base.name] }).result;
    } finally {
      rmSync(context, { recursive: true, force: true });
    }
  }
}

function prepare(key: string, context: string): void {
  if (key === "busybox") copyFileSync(cached("busybox.tar", makeBusybox), join(context, "busybox.tar"));
  if (key === "debian") copyFileSync(cached("debian.tar", makeDebian), join(context, "debian.tar"));
  if (key === "node") prepareNode(join(context, "node"));
}

function cached(name: string, make: (file: string) => void): string {
  const file = join(cache, "bases", name);
  if (existsSync(file)) return file;
  mkdirSync(dirname(file), { recursive: true });
  const temporary = `${file}.${process.pid}`;
  make(temporary);
  renameSync(temporary, file);
  return file;
}

function makeBusybox(file: string): void {
  const root = mkdtempSync(join(tmpdir(), "tsbuild-busybox-"));
  try {
    for (const name of ["bin", "etc", "root", "tmp", "home", "usr/sbin", "var/spool"])
      mkdirSync(join(root, name), { recursive: true });
    copyFileSync("/bin/busybox", join(root, "bin/busybox"));
    const applets = execFileSync("/bin/busybox", ["--list"], { encoding: "utf8" }).split("\n");
    for (const name of applets) if (name !== "" && name !== "busybox") symlinkSync("busybox", join(root, "bin", name));
    writeFileSync(
      join(root, "etc/passwd"),
      "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/home:/bin/false\n",
    );
    writeFileSync(join(root, "etc/group"), "root:x:0:\nnogroup:x:65534:\n");
    writeFileSync(join(root, "etc/shadow"), "root:*:::::::\n");
    run("chmod", ["1777", join(root, "tmp")]);
    packRoot(root, file);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/** Debian by debootstrap, with the machine's package sources and certificate authorities, so that apt-get works in it. */
function makeDebian(file: string): void {
  const parent = mkdtempSync(join(tmpdir(), "tsbuild-debian-"));
  const root = join(parent, "root");
  try {
    run("debootstrap", ["--variant=minbase", "--include=ca-certificates", "bookworm", root]);
    const copy = (path: string): void => {
      if (existsSync(path)) cpSync(path, join(root, path), { recursive: true, force: true, dereference: true });
    };
    for (const path of ["/etc/apt/sources.list.d", "/etc/apt/apt.conf.d", "/etc/ssl/certs/ca-certificates.crt"])
      copy(path);
    if (existsSync("/etc/apt/sources.list.d/debian.sources"))
      rmSync(join(root, "etc/apt/sources.list"), { force: true });
    else copy("/etc/apt/sources.list");
    run("sh", [
      "-c",
      'cd "$1" && rm -rf var/cache/apt/* var/lib/apt/lists/* var/log/*.log etc/apt/sources.list.d/pgdg*',
      "sh",
      root,
    ]);
    packRoot(root, file);
  } finally {
    rmSync(parent, { recursive: true, force: true });
  }
}

/** Node from the npm package that the project itself runs on, npm from the machine. */
function prepareNode(directory: string): void {
  mkdirSync(join(directory, "bin"), { recursive: true });
  mkdirSync(join(directory, "lib/node_modules"), { recursive: true });
  copyFileSync(realpathSync(process.execPath), join(directory, "bin/node"));
  const npm = execFileSync("sh", ["-c", "command -v npm"], { encoding: "utf8" }).trim();
  const home = dirname(dirname(realpathSync(npm)));
  cpSync(home, join(directory, "lib/node_modules/npm"), { recursive: true });
  symlinkSync("../lib/node_modules/npm/bin/npm-cli.js", join(directory, "bin/npm"));
}

function packRoot(root: string, file: string): void {
  run("tar", ["--sort=name", "--numeric-owner", "-C", root, "-cf", file, "."]);
}

function run(program: string, args: readonly string[]): void {
  execFileSync(program, args, { stdio: ["ignore", "ignore", "inherit"] });
}
