import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openStore, saveImages } from "../store/index.ts";
import { Dockerd } from "../test/peers/dockerd.ts";
import { baseNames, buildBases } from "../test/rig/bases.ts";

/**
 * Whole builds against Debian's dockerd (BuildKit, warm) and, where it is installed, buildah: medians of several runs in
 * one session, as ratios of theirs to ours (above 1: ours is faster). Every build uses the host's network.
 * Usage: npm run bench [workload...]
 */
interface Workload {
  readonly name: string;
  readonly dockerfile: string;
  /** Makes the context. */
  readonly files?: (directory: string) => void;
  /** Keys of the base images that it needs. */
  readonly bases: readonly string[];
  /** Its steps reach out to servers: once is enough. */
  readonly network?: boolean;
  /** Changes one file. */
  readonly change?: (directory: string, round: number) => void;
}

const npmProject = join(import.meta.dirname, "../test/corpus/cases/node-npm");

const lines = (count: number, line: (at: number) => string): string =>
  Array.from({ length: count }, (_, at) => line(at)).join("\n");

const workloads: readonly Workload[] = [
  {
    name: "tiny",
    bases: ["busybox"],
    dockerfile: "FROM busybox:1\nCOPY a /a\nRUN cat /a\n",
    files: small,
    change: small,
  },
  {
    name: "40 steps",
    bases: ["debian"],
    dockerfile: `FROM debian:12\n${lines(40, (at) => `RUN echo ${at} > /f${at}`)}\n`,
  },
  {
    name: "wide graph",
    bases: ["busybox"],
    dockerfile: `${lines(12, (at) => `FROM busybox:1 AS s${at}\nRUN echo ${at} > /f${at}`)}\nFROM busybox:1\n${lines(12, (at) => `COPY --from=s${at} /f${at} /`)}\n`,
  },
  {
    name: "20,000 files",
    bases: ["busybox"],
    dockerfile: "FROM busybox:1\nCOPY src /src\n",
    files: manyFiles,
    change: (directory, round) => writeFileSync(join(directory, "src/d7/f7"), `changed ${round}`),
  },
  {
    name: "apt",
    bases: ["debian"],
    network: true,
    dockerfile: "FROM debian:12\nRUN apt-get update && apt-get install -y --no-install-recommends less\n",
  },
  {
    name: "npm",
    bases: ["debian", "node"],
    network: true,
    dockerfile: readFileSync(join(npmProject, "Dockerfile"), "utf8"),
    files: (directory) => cpSync(npmProject, directory, { recursive: true }),
    change: (directory, round) => writeFileSync(join(directory, "index.js"), `console.log(${round});\n`),
  },
];

function small(directory: string, round: number = 0): void {
  writeFileSync(join(directory, "a"), String(round));
}

function manyFiles(directory: string): void {
  for (let d = 0; d < 200; d++) {
    mkdirSync(join(directory, "src", `d${d}`), { recursive: true });
    for (let f = 0; f < 100; f++) writeFileSync(join(directory, "src", `d${d}`, `f${f}`), `file ${d} ${f}\n`);
  }
}

/** Milliseconds of a command; it must succeed. */
function time(command: readonly string[], env: Readonly<Record<string, string>>): number {
  const [program = "", ...args] = command;
  const started = performance.now();
  const { status, stderr } = spawnSync(program, args, { env: { ...process.env, ...env }, encoding: "utf8" });
  if (status !== 0) throw new Error(`${command.join(" ")} ends with ${status}: ${stderr.slice(-400)}`);
  return performance.now() - started;
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

interface Builder {
  readonly name: string;
  readonly env: Readonly<Record<string, string>>;
  command(context: string, cold: boolean): readonly string[];
}

type Times = Readonly<Record<string, readonly number[]>>;

/**
 * Each kind of build, by all builders in turn, so that a slow moment of the machine meets them all. Every change makes
 * content that no builder has seen.
 */
function measure(builders: readonly Builder[], workload: Workload, context: string): readonly Times[] {
  const rounds = workload.network === true ? 1 : 3;
  const all = (cold: boolean): readonly number[] =>
    builders.map((builder) => time(builder.command(context, cold), builder.env));
  const cold = repeat(rounds, () => all(true));
  all(false);
  const noop = repeat(9, () => all(false));
  const { change } = workload;
  const changed = change === undefined ? [] : repeat(3, (round) => (change(context, round + 1), all(false)));
  return builders.map((_, at) => ({
    cold: cold.map((times) => times[at] ?? Number.NaN),
    "no-op": noop.map((times) => times[at] ?? Number.NaN),
    ...(change === undefined ? {} : { "one file": changed.map((times) => times[at] ?? Number.NaN) }),
  }));
}

const repeat = <T>(count: number, each: (round: number) => T): readonly T[] =>
  Array.from({ length: count }, (_, round) => each(round));

const chosen = process.argv.slice(2);
const directory = mkdtempSync(join(tmpdir(), "tsbuild-bench-"));
try {
  const store = join(directory, "store");
  const wanted = workloads.filter(({ name }) => chosen.length === 0 || chosen.includes(name));
  const keys = [...new Set(wanted.flatMap((workload) => workload.bases))];
  await buildBases(store, keys);
  await using dockerd = await Dockerd.start();
  const bases = join(directory, "bases.tar");
  {
    await using opened = await openStore({ root: store });
    await saveImages(opened, baseNames(keys), { format: "docker", to: { file: bases } });
  }
  dockerd.docker(["load", "-i", bases]);
  const program = join(import.meta.dirname, "../builder/cli/tsbuild");
  const common = ["build", "--network", "host", "-q", "-t", "bench"];
  const ours: Builder = {
    name: "tsbuild",
    env: { TSBUILD_ROOT: store, TSBUILD_BUNDLE: "1" },
    command: (context, cold) => [program, ...common, ...(cold ? ["--no-cache"] : []), context],
  };
  const builders: Builder[] = [
    {
      name: "dockerd",
      env: { DOCKER_BUILDKIT: "1" },
      command: (context, cold) => [
        "/usr/bin/docker",
        "-H",
        dockerd.socket,
        ...common,
        ...(cold ? ["--no-cache"] : []),
        context,
      ],
    },
  ];
  if (spawnSync("buildah", ["--version"]).status === 0) {
    const root = ["--root", join(directory, "buildah"), "--runroot", join(directory, "buildah-run")];
    for (const name of baseNames(keys)) {
      const one = join(directory, "one.tar");
      await using opened = await openStore({ root: store });
      await saveImages(opened, [name], { format: "docker", to: { file: one } });
      execFileSync("buildah", [...root, "pull", "-q", `docker-archive:${one}`], { stdio: "ignore" });
      rmSync(one);
    }
    const flags = ["bud", "--layers", "--network", "host", "--isolation", "chroot", "-q", "-t", "bench"];
    builders.push({
      name: "buildah",
      env: {},
      command: (context, cold) => ["buildah", ...root, ...flags, ...(cold ? ["--no-cache"] : []), context],
    });
  }
  const results: unknown[] = [];
  for (const workload of wanted) {
    const context = join(directory, "context");
    mkdirSync(context);
    workload.files?.(context);
    writeFileSync(join(context, "Dockerfile"), workload.dockerfile);
    const [own = {}, ...theirs] = measure([ours, ...builders], workload, context);
    for (const [at, { name }] of builders.entries()) {
      const ratios = Object.entries(own).map(([kind, times]) => {
        const [us, peer] = [median(times), median(theirs[at]?.[kind] ?? [])];
        results.push({ workload: workload.name, kind, peer: name, ours: us, theirs: peer, ratio: peer / us });
        return `${kind} ${(peer / us).toFixed(2)}x (${Math.round(us)} ms)`;
      });
      console.log(`${workload.name.padEnd(14)} ${name.padEnd(9)} ${ratios.join("   ")}`);
    }
    rmSync(context, { recursive: true, force: true });
  }
  writeFileSync("bench-build.json", `${JSON.stringify(results, null, 2)}\n`);
} finally {
  rmSync(directory, { recursive: true, force: true });
}
