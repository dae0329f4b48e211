import { describe, expect, it } from "vitest";
import { effectiveSettings } from "../../../builder/cli/commands/config/report.ts";
import { readConfig } from "../../../builder/cli/config/config.ts";
import { table } from "../../../builder/cli/commands/table.ts";
import { parseLine } from "../../../builder/cli/flags/parse.ts";

function report(
  env: Readonly<Record<string, string>>,
  files: Readonly<Record<string, unknown>>,
  words: readonly string[] = [],
): Readonly<Record<string, readonly [string, string]>> {
  const config = readConfig({
    env,
    uid: 0,
    home: "/root",
    cwd: "/src",
    stderrIsTerminal: false,
    breach: () => undefined,
    readFile: (path) => (files[path] === undefined ? undefined : JSON.stringify(files[path])),
  });
  const { flags } = parseLine(table.named("config"), words);
  const rows = effectiveSettings(config, flags, (path) => path === "/root/.docker/config.json");
  return Object.fromEntries(rows.map(({ Name, Value, Origin }) => [Name, [Value, Origin]]));
}

const system = "/etc/tsbuild/config.json";
const project = "/src/tsbuild.json";

describe("effectiveSettings()", () => {
  it("names flag, variable, file or default, whichever counts", () => {
    const files = { [system]: { root: "/system", progress: "plain", pull: "newer" }, [project]: { progress: "tty" } };
    expect(report({}, {})["root"]).toEqual(["/var/lib/tsbuild", "default"]);
    expect(report({}, files)).toMatchObject({
      root: ["/system", system],
      progress: ["tty", project],
      pull: ["newer", system],
      network: ["default", "default"],
    });
    const env = { TSBUILD_ROOT: "/env", BUILDKIT_PROGRESS: "rawjson" };
    expect(report(env, files)).toMatchObject({
      root: ["/env", "environment TSBUILD_ROOT"],
      progress: ["rawjson", "environment BUILDKIT_PROGRESS"],
    });
    expect(report({}, {})["registryTimeout"]).toEqual(["30s", "default"]);
    expect(report({ TSBUILD_REGISTRY_TIMEOUT: "2m" }, {})["registryTimeout"]).toEqual([
      "120s",
      "environment TSBUILD_REGISTRY_TIMEOUT",
    ]);
    expect(report({ ...env, TSBUILD_PROGRESS: "quiet" }, files)).toMatchObject({
      progress: ["quiet", "environment TSBUILD_PROGRESS"],
    });
    expect(report(env, files, ["--root", "/flag"])["root"]).toEqual(["/flag", "flag --root"]);
  });

  it("tells of registries by the file or variable that names them, and hides passwords", () => {
    const files = {
      [system]: { registryMirrors: { "docker.io": ["http://u:secret@m"] }, insecureRegistries: ["a:5000"] },
    };
    const told = report({ TSBUILD_REGISTRY_MIRROR: "ghcr.io=http://g", HTTP_PROXY: "http://u:secret@p" }, files);
    expect(told).toMatchObject({
      "registryMirrors.docker.io": ["http://xxxxx:xxxxx@m", system],
      "registryMirrors.ghcr.io": ["http://g", "environment TSBUILD_REGISTRY_MIRROR"],
      insecureRegistries: ["a:5000", system],
      credentials: ["/root/.docker/config.json", "default"],
      HTTP_PROXY: ["http://xxxxx:xxxxx@p", "environment HTTP_PROXY"],
    });
    expect(JSON.stringify(report({ DOCKER_AUTH_CONFIG: '{"auths":{"x":{"auth":"c2VjcmV0"}}}' }, {}))).not.toContain(
      "c2Vj",
    );
  });
});
