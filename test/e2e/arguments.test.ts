import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { BuildOptions } from "../../builder/index.ts";
import { fromBusybox, Project, type Outcome } from "../rig/project.ts";

async function buildOut(
  project: Project,
  options: Partial<BuildOptions> = {},
): Promise<{
  readonly outcome: Outcome;
  readonly read: (path: string) => string;
}> {
  const dest = join(project.store, "..", "out");
  const outcome = await project.build({ ...options, outputs: [{ type: "local", dest }] });
  return {
    outcome,
    read: (path) => readFileSync(join(dest, path), "utf8"),
  };
}

/** The file /epoch, and when the image says it was made. */
async function built(project: Project, options: Partial<BuildOptions> = {}): Promise<readonly (string | undefined)[]> {
  const { read } = await buildOut(project, options);
  const dest = join(project.store, "..", "layout");
  await project.build({ ...options, outputs: [{ type: "oci", dest, tar: false }] });
  const blob = (digest: string): string => readFileSync(join(dest, "blobs", digest.replace(":", "/")), "utf8");
  const index: { manifests: readonly { digest: string }[] } = JSON.parse(
    readFileSync(join(dest, "index.json"), "utf8"),
  );
  const manifest: { config: { digest: string } } = JSON.parse(blob(index.manifests[0]?.digest ?? ""));
  const config: { created: string } = JSON.parse(blob(manifest.config.digest));
  return [read("epoch"), new Date(config.created).toISOString().replace(".000Z", "Z")];
}

const stages = `FROM scratch AS one
COPY f /one
FROM scratch AS two
COPY f /two
`;

describe("COPY --from with variables", () => {
  it.each([
    ["ARG before the first FROM", `ARG S=two\n${stages}FROM scratch\nCOPY --from=$S / /\n`, {}],
    ["--build-arg", `ARG S=one\n${stages}FROM scratch\nCOPY --from=$S / /\n`, { S: "two" }],
    ["ARG of the stage", `${stages}FROM scratch\nARG S=two\nCOPY --from=\${S} / /\n`, {}],
    [
      "ENV over ARG, as of that line",
      `ARG S=one\n${stages}FROM scratch\nENV S=two\nCOPY --from=$S / /\nENV S=none\n`,
      {},
    ],
    ["ARG of the parent stage", `${stages}FROM scratch AS base\nARG N=wo\nFROM base\nCOPY --from=t$N / /\n`, {}],
    ["default value", `${stages}FROM scratch\nCOPY --from=\${S:-two} / /\n`, {}],
    ["number of a stage", `${stages}FROM scratch\nARG N=1\nCOPY --from=$N / /\n`, {}],
  ])("takes it from %s", async (_, dockerfile, buildArgs) => {
    using project = new Project({ Dockerfile: dockerfile, f: "x" });
    const { outcome, read } = await buildOut(project, { buildArgs });
    expect(outcome.error).toBeUndefined();
    expect(read("two")).toBe("x");
    expect(() => read("one")).toThrow("ENOENT");
  });

  it.each([
    ["COPY --from=$NONE / /", "E_COPY_FROM_VARIABLE"],
    ["COPY --from=${NONE / /", "E_COPY_FROM_VARIABLE"],
    ["ARG S=last\nCOPY --from=$S / /", "E_STAGE_ORDER"],
  ])("refuses %j", async (text, code) => {
    using project = new Project({ Dockerfile: `FROM scratch AS main\n${text}\nFROM scratch AS last\n` });
    const line = text.split("\n").length + 1;
    expect((await project.build({ target: "main" })).error).toMatchObject({ code, location: { start: { line } } });
  });
});

describe("built-in build arguments", () => {
  it("SOURCE_DATE_EPOCH clamps times, reaches ARG, and may stand before the first FROM", async () => {
    const body = `${fromBusybox}ARG SOURCE_DATE_EPOCH\nRUN echo "$SOURCE_DATE_EPOCH" > /epoch\n`;
    using project = new Project({ Dockerfile: body });
    const given = await built(project, { buildArgs: { SOURCE_DATE_EPOCH: "1000000000" } });
    expect(given).toEqual(["1000000000\n", "2001-09-09T01:46:40Z"]);
    const option = await built(project, { sourceDateEpoch: 1_100_000_000 });
    expect(option).toEqual(["1100000000\n", "2004-11-09T11:33:20Z"]);
    project.write("Dockerfile", `ARG SOURCE_DATE_EPOCH=1200000000\n${body}`);
    expect(await built(project)).toEqual(["1200000000\n", "2008-01-10T21:20:00Z"]);
    const [epoch, created = ""] = await built(project, { buildArgs: { SOURCE_DATE_EPOCH: "context" } });
    expect(epoch).toBe("\n");
    expect(Date.parse(created)).toBeGreaterThan(Date.parse("2020-01-01"));
  });

  it("BUILDKIT_SANDBOX_HOSTNAME names the host of RUN, and is part of the key", async () => {
    using project = new Project({ Dockerfile: `${fromBusybox}RUN cat /proc/sys/kernel/hostname /etc/hosts > /name\n` });
    expect((await buildOut(project)).read("name")).toMatch(/^buildkitsandbox\n/);
    const named = await buildOut(project, { buildArgs: { BUILDKIT_SANDBOX_HOSTNAME: "my-host" } });
    expect(named.read("name")).toMatch(/^my-host\n[^]*\tmy-host\n|^my-host\n[^]* my-host\n/);
    expect(named.outcome.events.some((event) => event.kind === "warning")).toBe(false);
  });

  it.each([
    [{ SOURCE_DATE_EPOCH: "yesterday" }, "E_BUILD_ARG"],
    [{ SOURCE_DATE_EPOCH: "-1" }, "E_BUILD_ARG"],
    [{ BUILDKIT_SANDBOX_HOSTNAME: "a b" }, "E_BUILD_ARG"],
    [{ BUILDKIT_SANDBOX_HOSTNAME: "a".repeat(65) }, "E_BUILD_ARG"],
    [{ BUILDKIT_MULTI_PLATFORM: "maybe" }, "E_BUILD_ARG"],
    [{ BUILDKIT_MULTI_PLATFORM: "1" }, "E_UNSUPPORTED"],
    [{ BUILDKIT_SYNTAX: "other/frontend" }, "E_SYNTAX_FRONTEND"],
  ])("refuses %j", async (buildArgs, code) => {
    using project = new Project({ Dockerfile: "FROM scratch\nCOPY f /\n", f: "" });
    expect((await project.build({ buildArgs })).error).toMatchObject({ code });
  });

  it("those that mean nothing here are neither an error nor worth a warning", async () => {
    using project = new Project({ Dockerfile: "# syntax=other\nFROM scratch\nCOPY f /\n", f: "" });
    const buildArgs = {
      BUILDKIT_SYNTAX: "dockerfile.v0",
      BUILDKIT_BUILD_NAME: "x",
      BUILDKIT_INLINE_CACHE: "0",
      BUILDKIT_MULTI_PLATFORM: "false",
    };
    const { error, events } = await project.build({ buildArgs });
    expect(error).toBeUndefined();
    expect(events.filter((event) => event.kind === "warning")).toEqual([]);
  });
});
