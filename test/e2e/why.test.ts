import { chmodSync, renameSync, rmSync, symlinkSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { build, type BuildEvent, type BuildOptions } from "../../builder/index.ts";
import { foldMisses } from "../../builder/solve/record/roots.ts";
import { causeText, type MissCause } from "../../builder/graph/causes.ts";
import { openStore } from "../../store/open.ts";
import { Project } from "../rig/project.ts";

const dockerfile = `ARG GLOBAL=1
FROM base:1 AS left
RUN echo left > /left
FROM base:1 AS right
WORKDIR /r
RUN echo right > right
FROM base:1
ARG V=1
ENV E=1
COPY app/ /app/
RUN cat /app/package.json
COPY --from=left /left /left
COPY --from=right /r/ /r/
RUN echo end
LABEL l=1
`;

const files: Readonly<Record<string, string>> = {
  Dockerfile: dockerfile,
  "base.Dockerfile": "FROM scratch\nCOPY busybox/ /\n",
  ".dockerignore": "**/*.tmp\n",
  "app/package.json": "{}",
  "app/a.txt": "a",
  "app/deep/b.txt": "b",
  "app/c.tmp": "ignored",
};

interface Mutation {
  readonly name: string;
  /** What is done to the project after a build of its original state. */
  readonly change?: (project: Project) => void | Promise<void>;
  /** Dockerfile: [from, to]. */
  readonly edit?: readonly [string, string];
  readonly options?: Partial<BuildOptions>;
  /** Steps that ran for reasons of their own, and these. */
  readonly causes: Readonly<Record<string, readonly string[]>>;
  /** Steps that ran in all; default: those of `causes` and all after them cannot be told, so nothing is checked. */
  readonly ran?: number;
}

const at = (project: Project, path: string): string => join(project.directory, path);
const copyApp = "COPY app/ /app/";
const catApp = "RUN cat /app/package.json";

const mutations: readonly Mutation[] = [
  { name: "nothing at all", causes: {}, ran: 0 },
  { name: "a touched file", change: (p) => utimesSync(at(p, "app/a.txt"), 1, 1), causes: {}, ran: 0 },
  { name: "a file written again with the same content", change: (p) => p.write("app/a.txt", "a"), causes: {}, ran: 0 },
  {
    name: "a file's content",
    change: (p) => p.write("app/a.txt", "b"),
    causes: { [copyApp]: ["app/a.txt changed"] },
    ran: 5,
  },
  {
    name: "a file's mode",
    change: (p) => chmodSync(at(p, "app/a.txt"), 0o700),
    causes: { [copyApp]: ["mode of app/a.txt 644 -> 700"] },
  },
  {
    name: "a directory's mode",
    change: (p) => chmodSync(at(p, "app/deep"), 0o700),
    causes: { [copyApp]: ["mode of app/deep 755 -> 700"] },
  },
  {
    name: "a renamed file",
    change: (p) => renameSync(at(p, "app/a.txt"), at(p, "app/z.txt")),
    causes: { [copyApp]: ["app/a.txt is now app/z.txt"] },
  },
  { name: "a removed file", change: (p) => rmSync(at(p, "app/a.txt")), causes: { [copyApp]: ["app/a.txt is gone"] } },
  {
    name: "a removed directory",
    change: (p) => rmSync(at(p, "app/deep"), { recursive: true }),
    causes: { [copyApp]: ["app/deep/b.txt is gone"] },
  },
  { name: "a new file", change: (p) => p.write("app/n/x.ts", "x"), causes: { [copyApp]: ["app/n/x.ts is new"] } },
  {
    name: "a file that became a symlink",
    change: (p) => {
      rmSync(at(p, "app/a.txt"));
      symlinkSync("package.json", at(p, "app/a.txt"));
    },
    causes: { [copyApp]: ["app/a.txt changed"] },
  },
  { name: "a new ignored file", change: (p) => p.write("app/new.tmp", "x"), causes: {}, ran: 0 },
  { name: "a changed ignored file", change: (p) => p.write("app/c.tmp", "x"), causes: {}, ran: 0 },
  { name: "a file outside of what is copied", change: (p) => p.write("README", "x"), causes: {}, ran: 0 },
  {
    name: "an ignore file that hides another file",
    change: (p) => p.write(".dockerignore", "**/*.tmp\n**/*.txt\n"),
    causes: { [copyApp]: [".dockerignore changed", "app/a.txt is gone", "app/deep/b.txt is gone"] },
  },
  {
    name: "an ignore file that shows a file",
    change: (p) => p.write(".dockerignore", "# nothing\n"),
    causes: { [copyApp]: [".dockerignore changed", "app/c.tmp is new"] },
  },
  {
    name: "an ignore file of another text",
    change: (p) => p.write(".dockerignore", "**/*.tmp\n*.x\n"),
    causes: {},
    ran: 0,
  },
  { name: "an ARG", options: { buildArgs: { V: "2" } }, causes: { [catApp]: ["ARG V 1 -> 2"] }, ran: 4 },
  { name: "a global ARG that no stage takes", options: { buildArgs: { GLOBAL: "2" } }, causes: {}, ran: 0 },
  {
    name: "an ENV",
    edit: ["ENV E=1", "ENV E=2 F=3"],
    causes: { [catApp]: ["ENV E 1 -> 2", "ENV F added: 3"] },
    ran: 4,
  },
  {
    name: "a RUN's text",
    edit: ["RUN echo end", "RUN echo END"],
    causes: { "RUN echo END": ["text changed: RUN echo end -> RUN echo END"] },
    ran: 1,
  },
  {
    name: "an inserted RUN",
    edit: [catApp, `RUN echo new\n${catApp}`],
    causes: { "RUN echo new": ["new instruction"] },
    ran: 5,
  },
  {
    name: "a removed RUN",
    edit: [`${catApp}\n`, ""],
    causes: { "COPY --from=left /left /left": ["earlier step changed: COPY app/ /app/ (line 10)"] },
  },
  {
    name: "a USER",
    edit: ["RUN echo end", "USER app\nRUN echo end"],
    causes: { "RUN echo end": ['user "" -> app'] },
    ran: 1,
  },
  {
    name: "a SHELL",
    edit: ["RUN echo end", 'SHELL ["/bin/sh","-ec"]\nRUN echo end'],
    causes: { "RUN echo end": ["command /bin/sh -c echo end -> /bin/sh -ec echo end"] },
    ran: 1,
  },
  {
    name: "a WORKDIR",
    edit: ["WORKDIR /r\n", "WORKDIR /r/x\n"],
    causes: {
      "WORKDIR /r/x": ["text changed: WORKDIR /r -> WORKDIR /r/x"],
      "RUN echo right > right": ["cwd /r -> /r/x", "earlier step changed: WORKDIR /r/x (line 5)"],
    },
  },
  {
    name: "a flag",
    edit: ["COPY app/", "COPY --chmod=700 app/"],
    causes: { "COPY --chmod=700 app/ /app/": ["--chmod added: 700"] },
  },
  { name: "a label", edit: ["LABEL l=1", "LABEL l=2 m=3"], causes: {}, ran: 0 },
  {
    name: "--label, CMD and a comment",
    edit: ["LABEL l=1", "# words\nLABEL l=1\nCMD true"],
    options: { labels: { x: "y" } },
    causes: {},
    ran: 0,
  },
  {
    name: "the order of stages",
    edit: [
      "FROM base:1 AS left\nRUN echo left > /left\nFROM base:1 AS right\nWORKDIR /r\nRUN echo right > right\n",
      "FROM base:1 AS right\nWORKDIR /r\nRUN echo right > right\nFROM base:1 AS left\nRUN echo left > /left\n",
    ],
    causes: {},
    ran: 0,
  },
  {
    name: "a stage that makes other files",
    edit: ["echo left > /left", "echo LEFT > /left"],
    causes: { "RUN echo LEFT > /left": ["text changed: RUN echo left > /left -> RUN echo LEFT > /left"] },
    ran: 4,
  },
  {
    name: "a stage that makes the same files in another way",
    edit: ["echo right > right", "echo right > ./right"],
    causes: { "RUN echo right > ./right": ["text changed: RUN echo right > right -> RUN echo right > ./right"] },
    ran: 1,
  },
  {
    name: "--no-cache for one stage",
    options: { noCache: ["left"] },
    causes: { "RUN echo left > /left": ["the cache is off (--no-cache)"] },
    ran: 1,
  },
  {
    name: "cache=never",
    edit: ["RUN echo end", "# cache=never\nRUN echo end"],
    causes: { "RUN echo end": ["it is never cached (# cache=never)"] },
    ran: 1,
  },
  {
    name: "a result that is too old",
    edit: ["RUN echo end", "# cache=1ns\nRUN echo end"],
    causes: { "RUN echo end": ["expired after 1ns"] },
    ran: 1,
  },
  { name: "a result that is young enough", edit: ["RUN echo end", "# cache=1h\nRUN echo end"], causes: {}, ran: 0 },
  { name: "a limit of all results", options: { cacheTtl: "1h" }, causes: {}, ran: 0 },
  {
    name: "a step that failed in between",
    change: async (p) => {
      p.write("Dockerfile", dockerfile.replace("RUN echo end", "RUN exit 3"));
      await p.build({ tags: [] });
      p.write("Dockerfile", dockerfile.replace("RUN echo end", "RUN exit 0"));
    },
    causes: { "RUN exit 0": ["text changed: RUN exit 3 -> RUN exit 0"] },
    ran: 1,
  },
];

/** The steps that ran with their causes in words, those that only followed left out. */
function explained(events: readonly BuildEvent[]): { readonly causes: Mutation["causes"]; readonly ran: number } {
  const infos = new Map(
    events.flatMap((event) => (event.kind === "vertex" ? [[event.vertex.digest, event.vertex]] : [])),
  );
  const missed = events.flatMap((event) => {
    if (event.kind !== "miss") return [];
    const info = infos.get(event.digest);
    return [
      { slot: info?.slot ?? "", name: (info?.name ?? "").replace(/^\[[^\]]*\] /, ""), causes: event.causes ?? [] },
    ];
  });
  const words = (causes: readonly MissCause[]): readonly string[] => causes.map(causeText);
  const roots = foldMisses(missed).map(({ root }) => [root.name, words(root.causes)] as const);
  return { causes: Object.fromEntries(roots), ran: missed.length };
}

describe("the causes of misses", () => {
  let project: Project;

  async function reset(): Promise<void> {
    rmSync(at(project, "app"), { recursive: true, force: true });
    rmSync(at(project, "README"), { force: true });
    for (const [path, text] of Object.entries(files)) project.write(path, text);
    expect((await project.build()).error).toBeUndefined();
  }

  async function makeBase(text: string): Promise<void> {
    project.write("base.Dockerfile", text);
    const dockerfilePath = at(project, "base.Dockerfile");
    await build({ context: project.directory, root: project.store, dockerfile: dockerfilePath, tags: ["base:1"] })
      .result;
  }

  beforeAll(async () => {
    project = new Project(files);
    await makeBase(files["base.Dockerfile"] ?? "");
    await reset();
  }, 60_000);
  afterAll(() => project[Symbol.dispose]());

  it.each(mutations)("are found for: $name", async ({ change, edit, options = {}, causes, ran }) => {
    await reset();
    if (edit !== undefined) project.write("Dockerfile", dockerfile.replace(edit[0], edit[1]));
    await change?.(project);
    const { events, error } = await project.build(options);
    expect(error).toBeUndefined();
    const found = explained(events);
    expect(found.causes).toEqual(causes);
    if (ran !== undefined) expect(found.ran).toBe(ran);
  });

  it("are found for --no-cache: every step says so", async () => {
    await reset();
    const { events } = await project.build({ noCache: true });
    const { causes, ran } = explained(events);
    expect(ran).toBe(7);
    expect(new Set(Object.values(causes).flat())).toEqual(new Set(["the cache is off (--no-cache)"]));
  });

  it("are told of mounts, contexts and flags as they are written", async () => {
    const text = `FROM base:1
RUN --mount=type=cache,target=/c --mount=type=bind,from=ext,target=/m cat /m/e <<x
one
x
COPY --from=ext e /e
`;
    project.write("ext/e", "e");
    project.write("other/e", "o");
    const dockerfilePath = at(project, "Mounts");
    const run = async (dockerfileText: string, options: Partial<BuildOptions> = {}): Promise<readonly string[]> => {
      project.write("Mounts", dockerfileText);
      const contexts = { ext: at(project, "ext") };
      const { events, error } = await project.build({ dockerfile: dockerfilePath, contexts, ...options });
      expect(error).toBeUndefined();
      return Object.values(explained(events).causes).flat();
    };
    const cause = async (
      edit: readonly [string, string],
      options?: Partial<BuildOptions>,
    ): Promise<readonly string[]> => {
      await run(text);
      return await run(text.replace(...edit), options);
    };
    expect(await cause(["/c ", "/c,sharing=locked "])).toEqual(["--mount /c sharing=shared -> sharing=locked"]);
    expect(await cause(["type=bind", "rw,type=bind"])).toEqual(['--mount /m readonly -> ""']);
    expect(await cause(["type=cache,target=/c", "type=tmpfs,target=/c"])).toEqual([
      expect.stringMatching(/^--mount \/c type=cache,id=.* -> type=tmpfs$/),
    ]);
    expect(await cause(["one", "two"])).toEqual([expect.stringMatching(/^command .*one.* -> .*two/)]);
    const none = ["", ""] as const;
    expect(await cause(none, { addHosts: [{ name: "db", address: "10.0.0.2" }] })).toEqual(["--add-host added: db"]);
    expect(await cause(none, { ulimits: [{ name: "core", soft: 0, hard: 5 }] })).toEqual(["--ulimit added: core=0:5"]);
    expect(await cause(none, { shmSize: 1 << 20 })).toEqual(["--shm-size added: 1048576"]);
    expect(await cause(none, { network: "none" })).toEqual(["network default -> none"]);
    expect(await cause(none, { cacheTtl: "0" })).toContain("it is never cached (--cache-ttl=0)");
    expect(new Set(await cause(none, { contexts: { ext: at(project, "other") } }))).toEqual(new Set(["e changed"]));
  });

  it("are found for a base image that moved", async () => {
    await reset();
    await makeBase("FROM scratch\nCOPY busybox/ /\nCOPY app/a.txt /moved\n");
    const moved = explained((await project.build()).events);
    const roots = Object.values(moved.causes).flat();
    expect(roots).not.toHaveLength(0);
    for (const cause of roots) expect(cause).toMatch(/^base image docker\.io\/library\/base:1 moved: sha256:/);
    await makeBase(files["base.Dockerfile"] ?? "");
  });

  it("are found for results that were removed from the store", async () => {
    await reset();
    {
      await using store = await openStore({ root: project.store });
      await store.collect({ unusedFor: 0 });
    }
    const { causes } = explained((await project.build()).events);
    expect(new Set(Object.values(causes).flat())).toEqual(new Set(["its result is no longer in the store"]));
  });
});
