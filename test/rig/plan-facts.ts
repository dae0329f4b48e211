import type { BuildPlan } from "../../builder/convert/convert.ts";
import type { CopyOp, MkdirOp, RunMount, RunOp } from "../../builder/graph/opspec.ts";
import { reachable, type Vertex } from "../../builder/graph/vertex.ts";
import type { ContainerConfig, History } from "../../store/oci/config.ts";

/** What a build is going to do and the image that it makes, in a form that BuildKit's plans can have too. */
export interface PlanFacts {
  readonly platform: string;
  readonly author?: string;
  readonly config: ContainerConfig;
  /** `(empty)` before lines without a layer; a comment that is not BuildKit's after them. */
  readonly history: readonly string[];
  readonly steps: readonly Step[];
  /** What progress calls them. */
  readonly names: readonly string[];
}

/** One thing that is run, copied or made. */
export type Step = Readonly<Record<string, unknown>>;

/** The facts of our plan. */
export function planFacts({ target, image }: BuildPlan): PlanFacts {
  const { os, architecture, variant, author, config = {}, history = [] } = image;
  return {
    platform: [os, architecture, ...(variant === undefined ? [] : [variant])].join("/"),
    ...(author === undefined ? {} : { author }),
    config: sortKeys(config) as ContainerConfig,
    history: history.map(historyLine),
    steps: sortSteps(reachable(target).flatMap(stepsOf)),
    names: stepNames(reachable(target).map(({ name }) => name)),
  };
}

/**
 * The names of what instructions do, without numbers: BuildKit counts triggers that are no steps. FROM is named once an
 * image, and COPY --link is not the same number of steps.
 */
export function stepNames(names: readonly string[]): readonly string[] {
  const shown = names.filter((name) => /^\[(?!internal\b|context\b)[^\]]*\] (?!FROM |(?:ONBUILD )?LINK )/.test(name));
  return [...new Set(shown.map((name) => name.replace(/ *\d+\/\d+\]/, "]")))].toSorted();
}

/** A line of history as facts show it. */
export function historyLine({ created_by: by = "", comment = "", empty_layer: empty }: History): string {
  const more = comment === "buildkit.dockerfile.v0" || comment === "" ? "" : ` [${comment}]`;
  return `${empty === true ? "(empty) " : ""}${by}${more}`;
}

/** Plans do not say in which order independent steps run; equal ones are done once. */
export function sortSteps(steps: readonly Step[]): readonly Step[] {
  const texts = steps.map((step) => JSON.stringify(sortKeys(step)));
  return [...new Set(texts)].toSorted().map((text) => JSON.parse(text) as Step);
}

/** The value with the keys of every object in order. */
export function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
  return Object.fromEntries(
    entries.toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([key, inner]) => [key, sortKeys(inner)]),
  );
}

function stepsOf(vertex: Vertex): readonly Step[] {
  const { op } = vertex;
  if (op.kind === "run") return [runStep(vertex, op), ...(op.script === undefined ? [] : [fileStep(op.script, 0o755)])];
  if (op.kind === "copy") return copySteps(vertex, op);
  return op.kind === "mkdir" ? [mkdirStep(op)] : [];
}

function runStep(vertex: Vertex, op: RunOp): Step {
  const { args, env, cwd, user, network, security, mounts = [] } = op;
  return {
    run: args,
    env: env.toSorted(),
    cwd,
    ...(user === "" ? {} : { user }),
    ...(network === "default" ? {} : { network }),
    ...(security === undefined ? {} : { security }),
    ...(mounts.length === 0 ? {} : { mounts: sortSteps(mounts.flatMap((mount) => mountFacts(vertex, mount))) }),
  };
}

function mountFacts({ inputs }: Vertex, mount: RunMount): readonly Step[] {
  const shared = { kind: mount.kind, target: mount.target };
  const readonly = "readonly" in mount && mount.readonly ? { readonly: true } : {};
  switch (mount.kind) {
    case "bind":
      return [{ ...shared, ...readonly, source: sourceOf(inputs[mount.input], mount.source) }];
    case "cache":
      return [
        {
          ...shared,
          ...readonly,
          id: mount.id,
          sharing: mount.sharing,
          source:
            mount.seed === undefined ? (mount.source ?? "/") : sourceOf(inputs[mount.seed.input], mount.seed.source),
        },
      ];
    case "tmpfs":
      return [{ ...shared, size: mount.size ?? 0 }];
    case "secret": {
      const { id, required, env, mode, uid, gid } = mount;
      const file = mount.target === undefined ? [] : [{ ...shared, id, required, mode, uid, gid }];
      return [...file, ...(env === undefined ? [] : [{ kind: "env", id, required, env }])];
    }
    case "ssh": {
      const { id, required, mode, uid, gid } = mount;
      return [{ ...shared, id, required, mode, uid, gid }];
    }
    default:
      return mount satisfies never;
  }
}

/** A bind of a context reads a copy of what it names. */
function sourceOf(input: Vertex | undefined, source: string): string {
  if (input?.op.kind !== "copy" || !input.name.startsWith("[internal]")) return source;
  return input.op.sources[0]?.path.replaceAll(/\\(.)/g, "$1") ?? source;
}

function copySteps({ name, inputs }: Vertex, op: CopyOp): readonly Step[] {
  if (name.startsWith("[internal]")) return [];
  const { sources, inline = [], dest, chown, chmod, exclude = [] } = op;
  const unpacks = (input: number): boolean => {
    const kind = inputs[input]?.op.kind;
    return kind === "http" ? op.unpackUrls === true : kind !== "git" && op.unpack;
  };
  const rules = {
    to: dest,
    ...(chown === undefined ? {} : { owner: ownerText(chown) }),
    ...(chmod === undefined ? {} : { mode: chmod }),
  };
  const more = exclude.length === 0 ? {} : { exclude };
  return [
    ...sources.map(({ input, path, include }) => ({
      copy: path,
      ...rules,
      ...more,
      ...(unpacks(input) ? { unpack: true } : {}),
      ...(include === undefined ? {} : { include: [include] }),
    })),
    ...inline.flatMap((file) => [{ copy: `/${file.name}`, ...rules }, fileStep(file, 0o644)]),
  ];
}

function fileStep({ name, content }: { readonly name: string; readonly content: string }, mode: number): Step {
  return { file: `/${name}`, mode, content };
}

function mkdirStep({ path, user }: MkdirOp): Step {
  return { mkdir: path, ...(user === "" ? {} : { owner: ownerText(user) }) };
}

/** `user:group`; root and what is empty is 0. */
export function ownerText(text: string): string {
  const [user = "", group] = text.split(/:(.*)/s);
  const part = (id: string): string => (id === "root" || id === "" ? "0" : /^\d+$/.test(id) ? String(Number(id)) : id);
  return group === undefined ? part(user) : `${part(user)}:${part(group)}`;
}
