import { describe, expect, it } from "vitest";
import { readConfig, type Config, type Surroundings } from "../../../builder/cli/config/config.ts";

interface World {
  readonly env?: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, unknown>>;
  readonly uid?: number;
  readonly terminal?: boolean;
  readonly breach?: Surroundings["breach"];
}

function read({ env = {}, files = {}, uid = 1000, terminal = false, breach = () => undefined }: World): Config {
  return readConfig({
    env,
    uid,
    home: "/home/dev",
    cwd: "/src",
    stderrIsTerminal: terminal,
    breach,
    readFile: (path) => {
      const file = files[path];
      return file === undefined || typeof file === "string" ? file : JSON.stringify(file);
    },
  });
}

const project = "/src/tsbuild.json";
const user = "/home/dev/.config/tsbuild/config.json";
const system = "/etc/tsbuild/config.json";

describe("readConfig()", () => {
  it("takes the store's directory from the environment, then the user's file, then the system's, then the default", () => {
    const files = { [user]: { root: "/user" }, [system]: { root: "/system" } };
    expect(read({ env: { TSBUILD_ROOT: "/env" }, files }).root).toBe("/env");
    expect(read({ files }).root).toBe("/user");
    expect(read({ files: { [system]: { root: "/system" } } }).root).toBe("/system");
    expect(read({ env: { XDG_DATA_HOME: "/data" } }).root).toBe("/data/tsbuild");
    expect(read({}).root).toBe("/home/dev/.local/share/tsbuild");
    expect(read({ uid: 0 }).root).toBe("/var/lib/tsbuild");
  });

  it("takes nothing from a user's file that another user could have written, and no registry files of another's home", () => {
    const who = "owner";
    const breach = (path: string): ReturnType<Surroundings["breach"]> =>
      path.startsWith("/home/dev") ? { path: "/home/dev", uid: 4321, gid: 0, who } : undefined;
    expect(() => read({ files: { [user]: {} }, breach })).toThrow(
      `Cannot use configuration file ${user}: user (4321) owns /home/dev`,
    );
    const { registryFiles } = read({ files: { [system]: {}, [project]: {} }, breach });
    expect(JSON.stringify(registryFiles)).not.toContain("/home/dev");
    expect(JSON.stringify(read({}).registryFiles)).toContain("/home/dev/.config/containers/registries.conf");
  });

  it("takes the mode of progress from TSBUILD_PROGRESS, then BUILDKIT_PROGRESS, then the project's file", () => {
    const files = { [project]: { progress: "rawjson" }, [user]: { progress: "tty" } };
    const env = { BUILDKIT_PROGRESS: "plain" };
    expect(read({ env: { ...env, TSBUILD_PROGRESS: "quiet" }, files }).progress).toBe("quiet");
    expect(read({ env, files }).progress).toBe("plain");
    expect(read({ files }).progress).toBe("rawjson");
    expect(read({ files: { [user]: { progress: "tty" } } }).progress).toBe("tty");
    expect(read({}).progress).toBeUndefined();
  });

  it("takes whether tsbuild's own checks are made from any file", () => {
    expect(read({ files: { [user]: { checkOwn: "error" }, [project]: { checkOwn: false } } }).ownChecks).toBe(false);
    expect(read({ files: { [system]: { checkOwn: "error" } } }).ownChecks).toBe("error");
    expect(read({}).ownChecks).toBeUndefined();
    expect(() => read({ files: { [project]: { checkOwn: "no" } } })).toThrow('setting "checkOwn" cannot be "no"');
  });

  it("takes how long a registry is waited for from TSBUILD_REGISTRY_TIMEOUT, then the user's file", () => {
    const files = { [user]: { registryTimeout: "1m30s" } };
    expect(read({ files }).registryTimeout).toBe(90_000);
    expect(read({ env: { TSBUILD_REGISTRY_TIMEOUT: "1.5s" }, files }).registryTimeout).toBe(1500);
    expect(read({}).registryTimeout).toBeUndefined();
    for (const wrong of ["30", "0s", "-5s", "999ms", "25h", "soon", "9".repeat(300)]) {
      expect(() => read({ env: { TSBUILD_REGISTRY_TIMEOUT: wrong } })).toThrow("TSBUILD_REGISTRY_TIMEOUT cannot be");
      expect(() => read({ files: { [user]: { registryTimeout: wrong } } })).toThrow('"registryTimeout" cannot be');
    }
  });

  it.each([
    ["root", "/x"],
    ["registryMirrors", { "docker.io": ["http://evil"] }],
    ["insecureRegistries", ["a"]],
    ["registryTimeout", "1h"],
    ["cdiSpecDirs", ["/src/cdi"]],
    ["userns", "single"],
    ["pull", "never"],
    ["pull", "always"],
  ])("does not let a project's file set %s", (key, value) => {
    const refused = `/src/tsbuild.json: setting "${key}" is not allowed here`;
    expect(() => read({ files: { [project]: { [key]: value } } })).toThrow(refused);
    expect(read({ files: { [user]: { [key]: value } } }).layers).toHaveLength(1);
  });

  it("lets a project's file take the network away, and give none", () => {
    for (const network of ["host", "default"]) {
      const world = { files: { [project]: { network }, [user]: { network: "none" } } };
      expect(() => read(world)).toThrow(`setting "network" cannot be "${network}" here`);
    }
    expect(read({ files: { [project]: { network: "none" }, [user]: { network: "host" } } }).network).toBe("none");
  });

  it("does not let a project's file hide what is done", () => {
    for (const progress of ["quiet", "none"])
      expect(() => read({ files: { [project]: { progress } } })).toThrow(`cannot be "${progress}" here`);
  });

  it.each([
    ["no JSON", "{", /is not JSON/],
    ["no object", "[]", /not a JSON object/],
    ["an unknown setting", { progres: "plain" }, /"progres" is unknown/],
    ["a wrong value", { progress: "loud" }, /cannot be "loud"/],
    ["a mirror that is no URL", { registryMirrors: { "docker.io": ["x"] } }, /is not a URL/],
  ])("refuses a file with %s", (_, content, message) => {
    expect(() => read({ files: { [user]: content } })).toThrow(message);
  });

  it("joins mirrors by host, the environment's over the files'", () => {
    const files = {
      [system]: { registryMirrors: { "docker.io": ["http://system"], "ghcr.io": ["http://ghcr"] } },
      [user]: { registryMirrors: { "docker.io": ["http://user"] } },
    };
    expect(read({ files }).mirrors).toEqual({ "docker.io": ["http://user"], "ghcr.io": ["http://ghcr"] });
    const env = { TSBUILD_REGISTRY_MIRROR: "docker.io=http://a, docker.io=http://b" };
    expect(read({ env, files }).mirrors).toEqual({ "docker.io": ["http://a", "http://b"], "ghcr.io": ["http://ghcr"] });
  });

  it("lists the files of credentials by precedence", () => {
    const env = {
      REGISTRY_AUTH_FILE: "/auth.json",
      DOCKER_CONFIG: "/docker",
      XDG_RUNTIME_DIR: "/run/user/1",
      XDG_CONFIG_HOME: "/cfg",
      DOCKER_AUTH_CONFIG: "{}",
    };
    const config = read({ env });
    expect(config.credentials.map((one) => (one.kind === "file" ? one.path : one.name))).toEqual([
      "/auth.json",
      "DOCKER_AUTH_CONFIG",
      "/docker/config.json",
      "/run/user/1/containers/auth.json",
      "/cfg/containers/auth.json",
      "/home/dev/.docker/config.json",
      "/home/dev/.dockercfg",
    ]);
    expect(config.loginFile).toBe("/auth.json");
    expect(read({ env: { DOCKER_CONFIG: "/docker" } }).loginFile).toBe("/docker/config.json");
    expect(read({}).loginFile).toBe("/home/dev/.docker/config.json");
  });

  it("passes proxies of the environment in both cases, over those of docker's config", () => {
    const files = {
      "/home/dev/.docker/config.json": { proxies: { default: { httpProxy: "http://old", noProxy: "localhost" } } },
    };
    const env = { http_proxy: "http://a", HTTPS_PROXY: "http://b", SSL_CERT_FILE: "/ca.pem", HTTP_PROXY: "" };
    expect(read({ env, files }).hostEnv).toEqual({
      HTTP_PROXY: "http://old",
      http_proxy: "http://a",
      HTTPS_PROXY: "http://b",
      NO_PROXY: "localhost",
      no_proxy: "localhost",
      SSL_CERT_FILE: "/ca.pem",
    });
  });

  it.each([
    ["a terminal", {}, true, true],
    ["no terminal", {}, false, false],
    ["NO_COLOR", { NO_COLOR: "1", FORCE_COLOR: "1" }, true, false],
    ["an empty NO_COLOR", { NO_COLOR: "" }, true, true],
    ["FORCE_COLOR", { FORCE_COLOR: "1" }, false, true],
    ["CLICOLOR_FORCE", { CLICOLOR_FORCE: "1" }, false, true],
    ["FORCE_COLOR=0", { FORCE_COLOR: "0" }, true, false],
    ["TERM=dumb", { TERM: "dumb" }, true, false],
  ])("decides on colour with %s", (_, env, terminal, color) => {
    expect(read({ env, terminal }).color).toBe(color);
  });

  it("is frozen", () => {
    expect(Object.isFrozen(read({}))).toBe(true);
  });
});
