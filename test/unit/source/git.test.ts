import { once } from "node:events";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { describe, expect, it } from "vitest";
import { gitEnvironment, onlyRemote } from "../../../builder/inputs/source/git/environment.ts";
import { gitError, mayPass } from "../../../builder/inputs/source/git/errors.ts";
import { GitFailure, runGit } from "../../../builder/inputs/source/git/program.ts";
import { isCounter, receivedBytes } from "../../../builder/inputs/source/git/receive-progress.ts";
import { lsRemoteArguments, pickRef } from "../../../builder/inputs/source/git/refs.ts";
import { TsbuildError } from "../../../native/errors.ts";

const [a = "", b = "", c = ""] = ["a", "b", "c"].map((digit) => digit.repeat(40));

describe("pickRef()", () => {
  it.each<[ref: string | undefined, lines: readonly string[], found: readonly string[] | undefined]>([
    [undefined, ["ref: refs/heads/trunk\tHEAD", `${a}\tHEAD`], ["refs/heads/trunk", a, a]],
    [undefined, [`${a}\tHEAD`], ["HEAD", a, a]],
    [undefined, [], undefined],
    // ls-remote gives whatever ends with the name.
    ["x", [`${a}\trefs/heads/other/x`], undefined],
    ["x", [`${a}\trefs/heads/other/x`, `${b}\trefs/heads/x`, `${c}\trefs/tags/x`], ["refs/heads/x", b, b]],
    ["x", [`${b}\trefs/tags/x`, `${c}\trefs/tags/x^{}`], ["refs/tags/x", b, c]],
    ["heads/x", [`${b}\trefs/heads/x`], ["refs/heads/x", b, b]],
    ["refs/pull/1/head", [`${b}\trefs/pull/1/head`], ["refs/pull/1/head", b, b]],
    ["refs/tags/x", [`${a}\trefs/heads/refs/tags/x`, `${b}\trefs/tags/x`], ["refs/tags/x", b, b]],
    ["x", ["nonsense", "\t", `${a.slice(1)}\trefs/heads/x`, `${"z".repeat(40)}\trefs/heads/x`], undefined],
  ])("%s among %j is %j", (ref, lines, found) => {
    const picked = pickRef(`${lines.join("\n")}\n`, ref);
    expect(picked && [picked.name, picked.object, picked.commit]).toEqual(found);
  });

  it("asks for no more than it needs, after a --", () => {
    expect(lsRemoteArguments("R", undefined)).toEqual(["ls-remote", "--symref", "--", "R", "HEAD"]);
    expect(lsRemoteArguments("R", "x")).toEqual(["ls-remote", "--", "R", "x", "x^{}"]);
  });
});

describe("gitError()", () => {
  it.each([
    ["E_GIT_AUTH", "fatal: Authentication failed for 'https://h/x.git/'"],
    ["E_GIT_AUTH", "fatal: could not read Username for 'https://h': terminal prompts disabled"],
    ["E_GIT_AUTH", "The requested URL returned error: 403"],
    ["E_GIT_AUTH", "git@h: Permission denied (publickey).\nfatal: Could not read from remote repository."],
    ["E_GIT_NOT_FOUND", "fatal: repository 'https://h/x.git/' not found"],
    ["E_GIT_NOT_FOUND", "ERROR: Repository not found.\nfatal: Could not read from remote repository."],
    ["E_GIT_HOST_KEY", "@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed."],
    ["E_GIT_SSH_MISSING", "error: cannot run ssh: No such file or directory"],
    ["E_GIT_TLS", "fatal: unable to access 'https://h/': SSL certificate problem: self-signed certificate"],
    ["E_GIT_TLS", "fatal: unable to access 'https://h/': server certificate verification failed. CAfile: none"],
    ["E_GIT_UNREACHABLE", "fatal: unable to access 'https://h/': Could not resolve host: h"],
    ["E_GIT_UNREACHABLE", "ssh: connect to host h port 22: Connection refused"],
    ["E_GIT_PROTOCOL", "fatal: transport 'file' not allowed"],
    ["E_GIT_PROTOCOL", "fatal: unable to access 'https://h/': Protocol \"http\" not supported or disabled in libcurl"],
    ["E_GIT_COMMIT", "fatal: remote error: upload-pack: not our ref 1234"],
    ["E_GIT", "fatal: something else"],
  ])("is %s of %j", (code, text) => {
    const error = gitError("fetch x", new GitFailure(`${text}\n`), { text: (all) => all });
    expect(error).toMatchObject({ code });
    expect(mayPass(new GitFailure(text))).toBe(false);
  });

  it("says the end of what git said, without passwords, secrets and counters", () => {
    const text = "a\nb\nc\nReceiving objects:  10% (1/10)\rfatal: https://user:pass@h/x: s3cret\nd\ne\n";
    const error = gitError("fetch x", new GitFailure(text), { text: (all) => all.replaceAll("s3cret", "***") });
    expect(error instanceof TsbuildError ? error.notes : undefined).toEqual([
      "b",
      "c",
      "fatal: https://xxxxx:xxxxx@h/x: ***",
      "d",
      "e",
    ]);
    const other = new Error("x");
    expect(gitError("fetch x", other, { text: (all) => all })).toBe(other);
  });

  it.each(["error: RPC failed; curl 56", "The requested URL returned error: 503", "fatal: early EOF"])(
    "is worth another try: %s",
    (text) => expect(mayPass(new GitFailure(text))).toBe(true),
  );
});

describe("git's progress", () => {
  it.each([
    ["Receiving objects:   5% (1/20), 1.00 KiB | 2.00 MiB/s", 1024],
    ["Receiving objects: 100% (20/20), 3.50 MiB | 2.00 MiB/s, done.", 3.5 * 1024 ** 2],
    ["Receiving objects: 100% (3/3), 210 bytes | 210.00 KiB/s, done.", 210],
    ["Receiving objects:  50% (1/2)", undefined],
    ["remote: Counting objects: 100% (3/3), done.", undefined],
  ])("%s is %s bytes", (line, bytes) => {
    expect(receivedBytes(line)).toBe(bytes);
    expect(isCounter(line)).toBe(true);
  });

  it.each(["warning: redirecting to https://h/", "remote: Welcome to the server", "fatal: x"])("%s is none", (line) =>
    expect(isCounter(line)).toBe(false),
  );
});

describe("gitEnvironment()", () => {
  it("takes proxies and authorities of the host and nothing else", () => {
    const host = {
      https_proxy: "http://p",
      HTTP_PROXY: "http://q",
      SSL_CERT_FILE: "/ca",
      GIT_DIR: "/x",
      LD_PRELOAD: "/x",
      SSH_AUTH_SOCK: "/mine",
      PATH: "/usr/bin:bin::.:/bin",
    };
    const env = gitEnvironment(host, { agent: undefined, knownHosts: ["/a b'c%d"] });
    expect(env).toMatchObject({
      https_proxy: "http://p",
      http_proxy: "http://q",
      GIT_SSL_CAINFO: "/ca",
      PATH: "/usr/bin:/bin",
    });
    for (const name of ["GIT_DIR", "LD_PRELOAD", "SSH_AUTH_SOCK"]) expect(env).not.toHaveProperty(name);
    expect(env["GIT_SSH_COMMAND"]).toContain(`-o 'UserKnownHostsFile="/a b'\\''c%%d"'`);
    expect(gitEnvironment({}, { agent: "/agent", knownHosts: [] })["SSH_AUTH_SOCK"]).toBe("/agent");
  });

  it("chooses proxies as for registries: not for this machine, and not as a CGI program's client says", () => {
    const ways = (host: Readonly<Record<string, string>>): readonly (string | undefined)[] => {
      const env = gitEnvironment(host, { agent: undefined, knownHosts: [] });
      return [env["http_proxy"], env["https_proxy"], env["no_proxy"]];
    };
    const near = "localhost,127.0.0.0/8,127.0.0.1,::1";
    expect(ways({})).toEqual([undefined, undefined, undefined]);
    expect(ways({ HTTP_PROXY: "http://a", http_proxy: "http://b" })).toEqual(["http://a", undefined, near]);
    expect(ways({ HTTPS_PROXY: "http://a", no_proxy: "h, .i" })).toEqual([undefined, "http://a", `h,.i,${near}`]);
    expect(ways({ HTTPS_PROXY: "http://a", NO_PROXY: "h, *" })).toEqual([undefined, "http://a", "*"]);
    const cgi = { REQUEST_METHOD: "GET", HTTP_PROXY: "http://a" };
    expect(ways(cgi)).toEqual([undefined, undefined, undefined]);
    expect(ways({ ...cgi, http_proxy: "http://b" })).toEqual(["http://b", undefined, near]);
  });

  it.each([
    ["https://h/x", "https"],
    ["http://h/x", "http:https"],
    ["ssh://h/x", "ssh"],
    ["git@h:x", "ssh"],
    ["git://h/x", "git"],
  ])("lets what speaks to %s use %s", (remote, protocols) =>
    expect(onlyRemote(remote)).toEqual({ GIT_ALLOW_PROTOCOL: protocols }),
  );
});

describe("runGit()", () => {
  it("gives up a server that says nothing", async () => {
    const server = createServer((socket) => void socket.on("error", () => undefined)).listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const run = runGit({
      args: ["ls-remote", "--", `git://127.0.0.1:${port}/x.git`],
      env: { PATH: process.env["PATH"] ?? "", HOME: "/dev/null" },
      directory: tmpdir(),
      signal: new AbortController().signal,
      patience: 500,
    });
    await expect(run).rejects.toMatchObject({ name: "GitFailure", text: expect.stringMatching(/too slow/) });
    server.close();
  });
});
