import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { build, type BuildOptions, type BuildResult } from "../../builder/index.ts";
import { openStore, saveImages } from "../../store/index.ts";
import { Dockerd } from "../peers/dockerd.ts";
import { compareImages, readDockerArchive, type FlatImage } from "../peers/compare.ts";
import { baseNames, basesOf, buildBases } from "../rig/bases.ts";

/**
 * Builds every Dockerfile of the corpus: once, a second time (all of it has to come from the cache), and without the
 * cache (the digest has to be the same). With --peers each is compared, file by file and field by field, with what
 * Debian's dockerd builds of it. --only a,b chooses cases, --without-network leaves out those that need packages.
 */
const { values: flags } = parseArgs({
  options: { peers: { type: "boolean" }, only: { type: "string" }, "without-network": { type: "boolean" } },
});
const cases = join(import.meta.dirname, "cases");
const epoch = 1_700_000_000;
const needsNetwork = /apt-get|pip install|npm ci|node:24|golang/;

/** What a case.json may say: of options, and files and directories of the case by their names in it. */
interface CaseOptions extends Pick<BuildOptions, "buildArgs" | "target" | "network"> {
  readonly secrets?: Readonly<Record<string, string>>;
  readonly contexts?: Readonly<Record<string, string>>;
}

interface Case {
  readonly name: string;
  readonly options: CaseOptions;
  /** False for what dockerd cannot do. */
  readonly peers: boolean;
  readonly text: string;
}

function readCases(): readonly Case[] {
  const chosen = flags.only?.split(",");
  return readdirSync(cases)
    .filter((name) => chosen?.includes(name) ?? true)
    .map((name) => {
      const file = join(cases, name, "case.json");
      const { peers = true, ...options } = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {};
      return { name, options, peers, text: readFileSync(join(cases, name, "Dockerfile"), "utf8") };
    })
    .filter(({ text }) => flags["without-network"] !== true || !needsNetwork.test(text));
}

/** A copy of the case's context in a temporary directory, finished by its setup script. */
function prepareContext(name: string, parent: string): string {
  const context = join(parent, name);
  cpSync(join(cases, name), context, { recursive: true });
  if (existsSync(join(context, "setup.sh"))) {
    execFileSync("sh", ["-e", "setup.sh"], { cwd: context, stdio: ["ignore", "ignore", "inherit"] });
  }
  for (const own of ["setup.sh", "case.json", "server.mjs"]) rmSync(join(context, own), { force: true });
  return context;
}

/** The case's server on the loopback interface, if it has one; its address is the build argument REGISTRY. */
async function startServer(name: string): Promise<AsyncDisposable & { readonly buildArgs: Record<string, string> }> {
  const file = join(cases, name, "server.mjs");
  if (!existsSync(file)) return { buildArgs: {}, [Symbol.asyncDispose]: async () => undefined };
  const server = spawn(process.execPath, [file], { stdio: ["pipe", "pipe", "inherit"] });
  const [address] = await once(server.stdout, "data");
  const stop = async (): Promise<void> => {
    const ended = once(server, "close");
    server.stdin.end();
    await ended;
  };
  return { buildArgs: { REGISTRY: String(address).trim() }, [Symbol.asyncDispose]: stop };
}

async function checkCase(one: Case, context: string, work: Work): Promise<readonly string[]> {
  await using server = await startServer(one.name);
  const problems: string[] = [];
  const archive = join(work.directory, `${one.name}.tar`);
  const { secrets = {}, contexts = {}, ...options } = one.options;
  const buildArgs = { ...options.buildArgs, ...server.buildArgs };
  const common = {
    root: work.store,
    context,
    ...options,
    buildArgs,
    secrets: Object.fromEntries(Object.entries(secrets).map(([id, value]) => [id, () => value])),
    contexts: Object.fromEntries(Object.entries(contexts).map(([id, path]) => [id, join(context, path)])),
  };
  const since = Math.floor(Date.now() / 1000) - 1;
  const outputs = [{ type: "docker", dest: archive, tar: true }] as const;
  await build({ ...common, ...(work.dockerd === undefined ? {} : { outputs }) }).result;
  const again = await build(common).result;
  if (again.steps.cached !== again.steps.total)
    problems.push(`second build: ${again.steps.cached} of ${again.steps.total} cached`);
  const cold = async (tag: string): Promise<BuildResult> =>
    await build({ ...common, noCache: true, sourceDateEpoch: epoch, tags: [tag] }).result;
  const [first, second] = [await cold(colds[0]), await cold(colds[1])];
  if (first.manifestDigest !== second.manifestDigest) {
    problems.push(`two cold builds: ${first.manifestDigest} and ${second.manifestDigest}`);
    problems.push(...(await coldDifferences(work)));
  }
  if (work.dockerd !== undefined && one.peers) {
    const peer = join(work.directory, `${one.name}.docker.tar`);
    const args = Object.entries(buildArgs).flatMap(([key, value]) => ["--build-arg", `${key}=${value}`]);
    for (const [id, value] of Object.entries(secrets)) {
      const file = join(work.directory, `secret-${id}`);
      writeFileSync(file, value);
      args.push("--secret", `id=${id},src=${file}`);
    }
    const target = one.options.target === undefined ? [] : ["--target", one.options.target];
    work.dockerd.docker(["build", "--network", "host", "-q", "-t", `case-${one.name}`, ...args, ...target, context]);
    work.dockerd.docker(["save", "-o", peer, `case-${one.name}`]);
    problems.push(...compareImages(await readDockerArchive(peer), await readDockerArchive(archive), since));
    rmSync(peer);
  }
  rmSync(archive, { force: true });
  return problems;
}

const colds = ["cold:first", "cold:second"] as const;

/** What is not the same in the last two cold builds, times included. */
async function coldDifferences({ store: root, directory }: Work): Promise<readonly string[]> {
  await using store = await openStore({ root });
  const read = async (name: string): Promise<FlatImage> => {
    const file = join(directory, "cold.tar");
    await saveImages(store, [name], { format: "docker", to: { file } });
    return await readDockerArchive(file);
  };
  return compareImages(await read(colds[0]), await read(colds[1]), Infinity);
}

interface Work {
  readonly directory: string;
  readonly store: string;
  readonly dockerd: Dockerd | undefined;
}

/** dockerd gets the very base images that are in our store. */
async function lendBases(work: Work, names: readonly string[]): Promise<void> {
  if (work.dockerd === undefined) return;
  const file = join(work.directory, "bases.tar");
  await using store = await openStore({ root: work.store });
  await saveImages(store, names, { format: "docker", to: { file } });
  work.dockerd.docker(["load", "-i", file]);
  rmSync(file);
}

const list = readCases();
const directory = mkdtempSync(join(tmpdir(), "tsbuild-corpus-"));
let failed = 0;
try {
  await using dockerd = flags.peers === true ? await Dockerd.start() : undefined;
  const work: Work = { directory, store: join(directory, "store"), dockerd };
  const keys = basesOf(list.map(({ text }) => text));
  await buildBases(work.store, keys);
  await lendBases(work, baseNames(keys));
  for (const one of list) {
    const problems = await checkCase(one, prepareContext(one.name, directory), work).catch((error: unknown) => [
      error instanceof Error ? `${"code" in error ? String(error.code) : ""} ${error.message}` : String(error),
    ]);
    if (problems.length > 0) failed++;
    console.log(
      problems.length === 0 ? `ok   ${one.name}` : `FAIL ${one.name}\n     ${problems.slice(0, 12).join("\n     ")}`,
    );
  }
} finally {
  rmSync(directory, { recursive: true, force: true });
}
console.log(`${list.length - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
