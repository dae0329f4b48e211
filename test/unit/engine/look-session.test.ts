import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { LookSession } from "../../../builder/engine/subrequest/look-session.ts";

let context: string;

beforeEach(() => {
  context = mkdtempSync(join(tmpdir(), "tsbuild-look-"));
  writeFileSync(join(context, "Dockerfile"), "FROM scratch\n");
});

afterEach(() => {
  rmSync(context, { recursive: true, force: true });
});

test("a Dockerfile that is there is read without the store that the options name", async () => {
  const root = join(context, "store");
  await using session = new LookSession({ context, root });
  const definition = await session.definition(new Map());
  expect(definition.text).toBe("FROM scratch\n");
  expect(existsSync(root)).toBe(false);
});

test("what had to be fetched goes with the session: its store, its directories and what fetched", async () => {
  const session = new LookSession({ context, root: join(context, "store") });
  const store = await session.store();
  const work = session.workspace.directory();
  const { http } = await session.sources();
  expect(http).toBeDefined();
  await expect(session.store()).resolves.toBe(store);
  expect(existsSync(store.root)).toBe(true);
  await session[Symbol.asyncDispose]();
  expect(existsSync(work)).toBe(false);
  expect(existsSync(dirname(store.root))).toBe(false);
});

test("options that nothing can be fetched with fail only what fetches, and leave nothing", async () => {
  const buildArgs = { BUILDKIT_GIT_ADVICE: "perhaps" };
  const session = new LookSession({ context, root: join(context, "store"), buildArgs });
  const store = await session.store();
  await expect(session.sources()).rejects.toMatchObject({ code: "E_BUILD_ARG" });
  await session[Symbol.asyncDispose]();
  expect(existsSync(dirname(store.root))).toBe(false);
});
