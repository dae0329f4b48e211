import { execFileSync, spawnSync } from "node:child_process";
import { createReadStream, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Root } from "../native/path.ts";
import { diffLayer } from "../store/layer/diff.ts";
import { gzip } from "../store/layer/gzip.ts";
import { hashLayer } from "../store/layer/pack.ts";
import { unpackLayer } from "../store/layer/unpack.ts";

/**
 * Layers against GNU tar, sha256sum and pigz: 20,000 files of 4 KiB, on the temporary directory's disk and in memory.
 * Medians of ratios, theirs to ours (above 1: ours is faster). Usage: node bench/layer.ts
 */
const rounds = 4;
const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

async function timed(act: () => unknown): Promise<number> {
  const started = performance.now();
  await act();
  return performance.now() - started;
}

function shell(script: string, cwd: string): void {
  const { status, stderr } = spawnSync("sh", ["-c", script], { cwd, encoding: "utf8" });
  if (status !== 0) throw new Error(`${script}: ${stderr}`);
}

function makeTree(directory: string): void {
  const bytes = Buffer.alloc(4096);
  for (let d = 0; d < 200; d++) {
    mkdirSync(join(directory, "tree", `d${d}`), { recursive: true });
    for (let f = 0; f < 100; f++) {
      bytes.fill(`${d} ${f} content of a file `);
      writeFileSync(join(directory, "tree", `d${d}`, `f${f}`), bytes);
    }
  }
  execFileSync("tar", ["--sort=name", "-C", join(directory, "tree"), "-cf", join(directory, "tree.tar"), "."]);
}

/**
 * Every unpacking gets a new directory, and all are removed at the very end: after a removal ext4 looks for inodes that
 * were not freed just now, which would be measured instead.
 */
let made = 0;

async function unpackOurs(directory: string): Promise<void> {
  const target = join(directory, `ours${made++}`);
  mkdirSync(target);
  using root = Root.open(target);
  await unpackLayer(createReadStream(join(directory, "tree.tar"), { highWaterMark: 1 << 20 }), root, {
    form: "overlay",
  });
}

function unpackTheirs(directory: string): void {
  const name = `theirs${made++}`;
  shell(`mkdir ${name} && tar -C ${name} -xf tree.tar`, directory);
}

async function compare(what: string, place: string, ours: () => unknown, theirs: () => unknown): Promise<void> {
  const ratios: number[] = [];
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    // Who goes second finds the disk as the first one left it: they take turns.
    const first = round % 2 === 0 ? ours : theirs;
    const second = round % 2 === 0 ? theirs : ours;
    const [a, b] = [await timed(first), await timed(second)];
    const [mine, peer] = round % 2 === 0 ? [a, b] : [b, a];
    ratios.push(peer / mine);
    times.push(mine);
  }
  console.log(
    `${what.padEnd(28)} ${place.padEnd(8)} ${median(ratios).toFixed(2)}x  (ours ${Math.round(median(times))} ms)`,
  );
}

for (const [place, parent] of [
  ["disk", tmpdir()],
  ["memory", "/dev/shm"],
] as const) {
  const directory = mkdtempSync(join(parent, "tsbuild-bench-"));
  try {
    makeTree(directory);
    await compare(
      "unpack / tar -x",
      place,
      async () => await unpackOurs(directory),
      () => unpackTheirs(directory),
    );
    const tree = join(directory, "tree");
    await compare(
      "pack / tar -c | sha256sum",
      place,
      () => hashLayer(tree, diffLayer(tree, [])),
      () => shell("tar -C tree -c . | sha256sum", directory),
    );
    const bytes = readFileSync(join(directory, "tree.tar"));
    const compress = async (): Promise<void> => {
      for await (const _chunk of gzip([bytes])) continue;
    };
    await compare("gzip / pigz", place, compress, () => shell("pigz -6 -c tree.tar > /dev/null", directory));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
