import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { BuildSession } from "../../../builder/engine/session.ts";
import type { BuildEvent } from "../../../builder/graph/events.ts";
import { openStore } from "../../../store/open.ts";

let root: string;
const ends = { emit: () => undefined, signal: new AbortController().signal };

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "tsbuild-session-"));
});

afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

test("what a session made for itself is gone with it, and its store is closed last", async () => {
  const session = await BuildSession.open({ root }, ends);
  const { scratch } = session.store;
  const directory = session.workspace.directory();
  expect(directory.startsWith(scratch)).toBe(true);
  expect(existsSync(directory)).toBe(true);
  await session[Symbol.asyncDispose]();
  expect(existsSync(directory)).toBe(false);
  expect(existsSync(scratch)).toBe(false);
});

test("a session that cannot be opened holds nothing of the store", async () => {
  const wrong = { root, buildArgs: { BUILDKIT_GIT_ADVICE: "perhaps" } };
  await expect(BuildSession.open(wrong, ends)).rejects.toMatchObject({ code: "E_BUILD_ARG" });
  expect(readdirSync(join(root, "leases"))).toEqual([]);
});

test("a session over another's store leaves it open", async () => {
  await using store = await openStore({ root });
  const session = await BuildSession.over(store, { root }, ends);
  const directory = session.workspace.directory();
  await session[Symbol.asyncDispose]();
  expect(existsSync(directory)).toBe(false);
  expect(existsSync(store.scratch)).toBe(true);
});

test("what brings contexts tells of it through the session", async () => {
  const told: BuildEvent[] = [];
  await using session = await BuildSession.open({ root }, { ...ends, emit: (event) => void told.push(event) });
  const { progress } = session.sources();
  await progress("a step").during(
    () => Promise.resolve(),
    () => true,
  );
  expect(told.map(({ kind }) => kind)).toEqual(["vertex", "started", "completed"]);
});
