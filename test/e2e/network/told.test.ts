import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fromBusybox, Project } from "../../rig/project.ts";

interface Done {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const message = "the host's network, not one of its own: the host does not forward packets";
/** Docker's 14 but CAP_NET_RAW. */
const capabilities = "00000000a80405fb";

describe("a host that does not forward packets", () => {
  const project = new Project({ Dockerfile: `${fromBusybox}RUN grep ^CapEff /proc/self/status\nRUN true\n` });
  const home = mkdtempSync(join(tmpdir(), "tsbuild-home-"));

  /** The command in a network namespace of its own. */
  function tsbuild(words: string, env: Readonly<Record<string, string>> = {}): Done {
    // Without /dev/net/tun no program can make an interface.
    const script = 'echo 0 > /proc/sys/net/ipv4/ip_forward; mount -t tmpfs tmpfs /dev/net; exec "$@"';
    const command = ["sh", "-c", script, "-", resolve("builder/cli/tsbuild"), ...words.split(" ")];
    const done = spawnSync("unshare", ["--net", "--mount", ...command], {
      cwd: project.directory,
      encoding: "utf8",
      env: {
        ...process.env,
        TSBUILD_ROOT: project.store,
        HOME: home,
        XDG_CACHE_HOME: resolve("node_modules/.cache"),
        TSBUILD_NETWORK: "",
        ...env,
      },
    });
    return { code: done.status, stdout: done.stdout, stderr: done.stderr };
  }

  beforeAll(() => expect(tsbuild("-q -t app .").code).toBe(0));
  afterAll(() => {
    project[Symbol.dispose]();
    rmSync(home, { recursive: true, force: true });
  });

  it.each(["plain", "tty", "rawjson", "quiet"])("is told of by a build in %s mode, once", (mode) => {
    const { code, stderr } = tsbuild(`--no-cache --progress ${mode} .`);
    expect(code).toBe(0);
    const encoded = Buffer.from(`RUN has ${message}`).toString("base64").slice(0, 60);
    const lines = stderr.split("\n").filter((line) => line.includes(message) || line.includes(encoded));
    // In plain mode where it happens and in the list at the end.
    expect(lines.length).toBe(mode === "plain" ? 2 : 1);
    if (mode === "plain") expect(stderr).toMatch(new RegExp(`CapEff:\\s+${capabilities}`));
  });

  it("is in the record of the build", () => {
    tsbuild("--no-cache .");
    expect(tsbuild("why").stdout).toContain(`RUN had ${message}`);
    const { Steps } = JSON.parse(tsbuild("why --format json").stdout);
    const run = Steps.find(({ Slot }: { readonly Slot: string }) => Slot.endsWith("2"));
    expect(run).toMatchObject({ Network: "host", NetworkReason: expect.stringContaining("net.ipv4.ip_forward") });
  });

  it("is told of by run on standard error, whatever else is quiet", () => {
    const { code, stdout, stderr } = tsbuild("run -q --cap-add NET_ADMIN app grep ^CapEff /proc/self/status");
    expect([code, stdout]).toEqual([0, `CapEff:\t${capabilities}\n`]);
    expect(stderr).toMatch(/^WARN: the container has the host's network, not one of its own: [^\n]+\n$/);
  });

  it("is an error where a network of the container's own is demanded", () => {
    const demands: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
      ["--no-cache --network own .", {}],
      ["run --network own app true", {}],
      ["run app true", { TSBUILD_NETWORK: "own" }],
    ];
    for (const [words, env] of demands) {
      const { code, stderr } = tsbuild(words, env);
      expect(code).toBe(words.startsWith("run") ? 125 : 1);
      expect(stderr).toContain("error[E_NETWORK_OWN]: Cannot make a network of the container's own: the host does not");
    }
  });

  it("is not told of where nothing or the host's network was asked for, nor of steps that were not run", () => {
    // The builds that failed have made the layer of COPY anew, at another time, and ran no step over it.
    tsbuild("-q .");
    for (const words of ["-q .", "--no-cache -q --network none .", "--no-cache -q --network host ."])
      expect(tsbuild(words)).toMatchObject({ code: 0, stderr: "" });
    expect(tsbuild("run --network host app true")).toEqual({ code: 0, stdout: "", stderr: "" });
  });

  it("is not chosen by a source tree", () => {
    project.write("tsbuild.json", '{"network": "host"}');
    try {
      for (const words of ["-q .", "run app true"]) {
        const { code, stderr } = tsbuild(words);
        expect([code, stderr]).toEqual([2, expect.stringContaining('setting "network" cannot be "host" here')]);
      }
    } finally {
      project.remove("tsbuild.json");
    }
  });
});
