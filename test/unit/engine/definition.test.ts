import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Definition, parseContext, type DefinitionOptions } from "../../../builder/engine/definition.ts";
import { Workspace } from "../../../builder/inputs/context/workspace.ts";
import type { BuildEvent } from "../../../builder/graph/events.ts";

let place: string;
let context: string;
let told: BuildEvent[];

beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), "tsbuild-definition-"));
  context = join(place, "context");
  mkdirSync(context);
  told = [];
});

afterEach(() => {
  rmSync(place, { recursive: true, force: true });
});

async function open(options: Omit<DefinitionOptions, "context">): Promise<Definition> {
  const scratch = join(place, "scratch");
  mkdirSync(scratch);
  using workspace = new Workspace(() => scratch);
  const session = {
    workspace,
    emit: (event: BuildEvent) => void told.push(event),
    signal: new AbortController().signal,
    sources: () => Promise.reject(new Error("nothing is to be fetched")),
  };
  return await Definition.open({ options: { ...options, context }, contexts: new Map(), url: undefined }, session);
}

test("a context is a URL, standard input, or a directory that is there", () => {
  expect(parseContext("-")).toBeUndefined();
  expect(parseContext(context)).toBeUndefined();
  expect(parseContext("https://example.com/a.tar")).toMatchObject({ kind: "http" });
  expect(parseContext("https://example.com/a.git#main")).toMatchObject({ kind: "git" });
  expect(() => parseContext(join(place, "missing"))).toThrow(expect.objectContaining({ code: "E_CONTEXT" }));
});

test("a Dockerfile of a directory is read as one step, and nothing is fetched or made for it", async () => {
  const text = "FROM scratch AS out\nCOPY a /\n";
  writeFileSync(join(context, "Dockerfile"), text);
  writeFileSync(join(context, ".dockerignore"), "a\n");
  const definition = await open({});
  expect(definition.text).toBe(text);
  expect(definition.file.name).toBe("Dockerfile");
  expect(definition.main.ignore).toBeDefined();
  expect(definition.parse().stages.map(({ name }) => name)).toEqual(["out"]);
  expect(told.map(({ kind }) => kind)).toEqual(["vertex", "started", "completed"]);
  expect(readdirSync(join(place, "scratch"))).toEqual([]);
});

test("a Dockerfile that is missing fails the step", async () => {
  await expect(open({})).rejects.toMatchObject({ code: "E_DOCKERFILE_NOT_FOUND" });
  expect(told.at(-1)).toMatchObject({ kind: "completed", cached: false, error: expect.any(String) });
});

test("one from standard input is spooled in the workspace, which goes with the session", async () => {
  async function* stdin(): AsyncGenerator<Uint8Array> {
    yield Buffer.from("FROM scratch\n");
  }
  const definition = await open({ dockerfile: "-", stdin: stdin() });
  expect(definition.text).toBe("FROM scratch\n");
  expect(readdirSync(join(place, "scratch"))).toEqual([]);
});

test("the checks watch what is parsed", async () => {
  writeFileSync(join(context, "Dockerfile"), "FROM scratch\nMAINTAINER me\n");
  const definition = await open({});
  const linter = await definition.linter("few");
  definition.parse(linter);
  expect(linter.warnings.map(({ rule }) => rule.name)).toEqual(["MaintainerDeprecated"]);
});

test("checks that BUILDKIT_DOCKERFILE_CHECK turns off find nothing", async () => {
  writeFileSync(join(context, "Dockerfile"), "FROM scratch\nMAINTAINER me\n");
  const definition = await open({ buildArgs: { BUILDKIT_DOCKERFILE_CHECK: "skip=all" } });
  const linter = await definition.linter("few");
  definition.parse(linter);
  expect(linter.warnings).toEqual([]);
});

test("a frontend that is not built in is refused when the text is parsed", async () => {
  writeFileSync(join(context, "Dockerfile"), "FROM scratch\n");
  const definition = await open({ buildArgs: { BUILDKIT_SYNTAX: "example.com/frontend" } });
  expect(() => definition.parse()).toThrow(expect.objectContaining({ code: "E_SYNTAX_FRONTEND" }));
});
