import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { digestOf, makeImage } from "../rig/hostile-registry.ts";
import { Lan } from "../rig/lan.ts";
import { Project } from "../rig/project.ts";
import { requestRows, type RequestRow } from "../rig/request-rows.ts";
import { environmentFor, imageOf, toldBy } from "../rig/request-run.ts";

/** An image as skopeo's transport dir has it. */
function writeImage(directory: string): void {
  const { layer, config, manifest } = makeImage("sha256", {});
  mkdirSync(directory);
  writeFileSync(join(directory, "version"), "Directory Transport Version: 1.1\n");
  writeFileSync(join(directory, "manifest.json"), manifest);
  for (const bytes of [layer, config]) writeFileSync(join(directory, digestOf(bytes).replace("sha256:", "")), bytes);
}

function command(row: RequestRow, directory: string): readonly string[] {
  const image = `docker://${imageOf(row)}`;
  const common = ["skopeo", "--insecure-policy", "copy"];
  const lax = imageOf(row).includes(":5000/");
  if (row.command !== "push") return [...common, `--src-tls-verify=${!lax}`, image, `dir:${directory}/out`];
  writeImage(join(directory, "in"));
  return [...common, `--dest-tls-verify=${!lax}`, `dir:${directory}/in`, image];
}

/** What each server was told, in any order, and whether it went well. */
function facts(told: Readonly<Record<string, string>>, well: boolean): unknown {
  const words = Object.entries(told).map(
    ([server, one]) => [server, [...new Set(one.split(", "))].toSorted()] as const,
  );
  return { well, told: Object.fromEntries(words) };
}

const comparable = requestRows
  .map((row, at) => ({ ...row, at: at + 1 }))
  .filter(({ command: what, flags }) => what !== "add" && flags === undefined);

/** skopeo is told the same by the same servers: it does what the table says that it does. */
describe("skopeo", () => {
  let lan: Lan;
  beforeAll(async () => {
    lan = await Lan.start();
  });
  afterAll(async () => await lan[Symbol.asyncDispose]());

  it.each(comparable)("$at $given", async (row) => {
    using project = new Project({});
    const words = command(row, project.directory);
    const { code, output, requests } = await lan.run(row.rules, words, environmentFor(row, lan, project));
    const own = facts(row.told, row.code === undefined);
    const found = facts(toldBy(requests), code === 0);
    if (row.skopeo === undefined) expect(found, output).toEqual(own);
    else expect(found, output).not.toEqual(own);
  });
});
