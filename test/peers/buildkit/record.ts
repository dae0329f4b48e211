import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, posix } from "node:path";
import type { ContainerConfig, ImageConfig } from "../../../store/oci/config.ts";
import {
  historyLine,
  ownerText,
  sortKeys,
  sortSteps,
  stepNames,
  type PlanFacts,
  type Step,
} from "../../rig/plan-facts.ts";
import { planBases } from "../../rig/plan.ts";
import { planTables } from "../../unit/parity/all-cases.ts";
import { caseOf, requestKey, type Recorded } from "../../unit/parity/plan-case.ts";

/**
 * Records what BuildKit makes of the Dockerfiles of test/unit/parity, in test/fixtures/buildkit-plans.json:
 * `node test/peers/buildkit/record.ts`. Needs Go and its module proxy, or the path of a compiled main.go.
 */
const version = "v0.32.2";
const output = join(import.meta.dirname, "../../fixtures/buildkit-plans.json");

interface Mount {
  readonly dest: string;
  readonly selector?: string;
  readonly readonly?: boolean;
  readonly mountType?: 1 | 2 | 3 | 4;
  readonly cacheOpt?: { readonly ID: string; readonly sharing?: number };
  readonly TmpfsOpt?: { readonly size?: number };
  readonly secretOpt?: Private;
  readonly SSHOpt?: Private;
}

interface Private {
  readonly ID?: string;
  readonly uid?: number;
  readonly gid?: number;
  readonly mode?: number;
  readonly optional?: boolean;
}

type Id = { readonly User?: { readonly byId?: number; readonly byName?: { readonly name?: string } } } | undefined;

interface Answer {
  readonly error?: string;
  readonly line?: number;
  readonly end?: number;
  readonly image: ImageConfig;
  readonly ops?: readonly {
    readonly exec?: {
      readonly args: readonly string[];
      readonly env?: readonly string[];
      readonly cwd: string;
      readonly user?: string;
    };
    readonly network?: string;
    readonly security?: string;
    readonly mounts?: readonly Mount[];
    readonly secretenv?: readonly { readonly ID: string; readonly name: string; readonly optional?: boolean }[];
    readonly copy?: {
      readonly src: string;
      readonly dest: string;
      readonly owner?: { readonly user?: Id; readonly group?: Id };
      readonly mode?: number;
      readonly modeStr?: string;
      readonly attemptUnpackDockerCompatibility?: boolean;
      readonly exclude_patterns?: readonly string[];
      readonly include_patterns?: readonly string[];
    };
    readonly mkdir?: { readonly path: string; readonly owner?: { readonly user?: Id; readonly group?: Id } };
    readonly mkfile?: string;
    readonly mode?: number;
    readonly content?: string;
  }[];
  readonly names?: readonly string[];
}

/** Within a copy of BuildKit's module: with its own versions of everything. */
function compile(): string {
  const directory = mkdtempSync(join(tmpdir(), "tsbuild-buildkit-"));
  process.on("exit", () => rmSync(directory, { recursive: true, force: true }));
  const module = execFileSync("go", ["mod", "download", "-json", `github.com/moby/buildkit@${version}`], {
    cwd: directory,
    encoding: "utf8",
  });
  const { Dir }: { readonly Dir: string } = JSON.parse(module);
  execFileSync("sh", ["-c", 'cp -R "$1" buildkit && chmod -R u+w buildkit && mkdir buildkit/cmd/record', "sh", Dir], {
    cwd: directory,
  });
  const source = join(directory, "buildkit");
  copyFileSync(join(import.meta.dirname, "main.go"), join(source, "cmd/record/main.go"));
  const program = join(directory, "record");
  execFileSync("go", ["build", "-o", program, "./cmd/record"], { cwd: source, stdio: "inherit" });
  return program;
}

function ask(program: string, requests: readonly object[]): readonly Answer[] {
  const input = requests.map((request) => JSON.stringify({ ...request, images: planBases })).join("\n");
  const { stdout, status } = spawnSync(program, { input: `${input}\n`, encoding: "utf8", maxBuffer: 2 ** 28 });
  if (status !== 0) throw new Error(`BuildKit's frontend ended with ${status}`);
  return stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line, (_key, value: unknown) => (value === null ? undefined : value)));
}

function factsOf({ image, ops = [], names = [] }: Answer): PlanFacts {
  const { os, architecture, variant, author, history = [] } = image;
  return {
    platform: [os, architecture, ...(variant === undefined ? [] : [variant])].join("/"),
    ...(author === undefined ? {} : { author }),
    config: sortKeys(image.config ?? {}) as ContainerConfig,
    history: history.map(historyLine),
    steps: sortSteps(ops.flatMap(stepsOf)),
    names: stepNames(names),
  };
}

function stepsOf(op: NonNullable<Answer["ops"]>[number]): readonly Step[] {
  if (op.copy !== undefined) return [copyStep(op.copy)];
  if (op.mkfile !== undefined) return [{ file: op.mkfile, mode: op.mode, content: op.content }];
  // What a new cache mount is made of; its mode and owner are in no other place.
  if (op.mkdir?.path === "/cache") return [];
  if (op.mkdir !== undefined) return [{ mkdir: op.mkdir.path, ...ownerOf(op.mkdir.owner) }];
  return op.exec === undefined ? [] : [runStep(op, op.exec)];
}

function runStep(
  { network = "UNSET", security = "SANDBOX", mounts = [], secretenv = [] }: NonNullable<Answer["ops"]>[number],
  { args, env = [], cwd, user = "" }: NonNullable<NonNullable<Answer["ops"]>[number]["exec"]>,
): Step {
  const all = [
    ...mounts.flatMap((mount) => mountFacts(mount, cwd)),
    ...secretenv.map(({ ID: id, name, optional }) => ({ kind: "env", id, required: optional !== true, env: name })),
  ];
  return {
    run: args,
    env: env.toSorted(),
    // As whoever runs it reads it.
    cwd: posix.resolve("/", cwd),
    ...(user === "" ? {} : { user }),
    ...(network === "UNSET" ? {} : { network: network.toLowerCase() }),
    ...(security === "SANDBOX" ? {} : { security: security.toLowerCase() }),
    ...(all.length === 0 ? {} : { mounts: sortSteps(all) }),
  };
}

function mountFacts(mount: Mount, cwd: string): readonly Step[] {
  const { dest, mountType, selector: source = "/" } = mount;
  const target = posix.resolve("/", cwd, dest);
  // The root file system, and the script of a heredoc.
  if (target === "/" || target === "/dev/pipes") return [];
  const readonly = mount.readonly === true ? { readonly: true } : {};
  switch (mountType) {
    case 1:
      return [{ kind: "secret", target, ...privateFacts(mount.secretOpt) }];
    case 2:
      return [{ kind: "ssh", target, ...privateFacts(mount.SSHOpt) }];
    case 3: {
      const sharing = ["shared", "private", "locked"][mount.cacheOpt?.sharing ?? 0];
      const id = mount.cacheOpt?.ID.replace(/^\//, "");
      return [{ kind: "cache", target, ...readonly, id, sharing, source: source === "/cache" ? "/" : source }];
    }
    case 4:
      return [{ kind: "tmpfs", target, size: mount.TmpfsOpt?.size ?? 0 }];
    default:
      return [{ kind: "bind", target, ...readonly, source }];
  }
}

function privateFacts({ ID: id, uid = 0, gid = 0, mode = 0, optional }: Private = {}): Step {
  return { id: id ?? "default", required: optional !== true, mode, uid, gid };
}

function copyStep(copy: NonNullable<NonNullable<Answer["ops"]>[number]["copy"]>): Step {
  const { src, dest, owner, mode = 0, modeStr, exclude_patterns: exclude, include_patterns: include } = copy;
  return {
    copy: src,
    to: dest.replace(/\/\.$/, "/"),
    ...ownerOf(owner),
    ...(modeStr !== undefined ? { mode: modeStr } : mode < 0 ? {} : { mode }),
    ...(exclude === undefined ? {} : { exclude }),
    ...(include === undefined ? {} : { include }),
    ...(copy.attemptUnpackDockerCompatibility === true ? { unpack: true } : {}),
  };
}

function ownerOf(owner: { readonly user?: Id; readonly group?: Id } | undefined): Step {
  if (owner === undefined) return {};
  const [user, group] = [owner.user, owner.group].map((id) =>
    id === undefined ? "" : id.User?.byName === undefined ? String(id.User?.byId ?? 0) : (id.User.byName.name ?? ""),
  );
  return { owner: ownerText(owner.group === undefined ? `${user}` : `${user}:${group}`) };
}

const named = Object.entries(planTables).flatMap(([table, cases]) =>
  Object.entries(cases).map(([name, value]) => ({ name: `${table}: ${name}`, request: caseOf(value) })),
);
const answers = ask(
  process.argv[2] ?? compile(),
  named.map(({ request }) => ({ ...request, text: Buffer.from(request.text).toString("base64") })),
);
const recorded = named.map(({ name, request: asked }, at): readonly [string, Recorded] => {
  const answer = answers[at];
  if (answer === undefined) throw new Error(`no answer for ${name}`);
  const { error, line, end } = answer;
  const request = requestKey(asked);
  if (error === undefined) return [name, { request, facts: factsOf(answer) }];
  return [name, { request, error, ...(line === undefined || end === undefined ? {} : { lines: [line, end] }) }];
});
const lines = recorded.map(([name, value]) => `${JSON.stringify(name)}: ${JSON.stringify(value)}`);
writeFileSync(output, `{\n${lines.join(",\n")}\n}\n`);
