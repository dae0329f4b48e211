import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openSshAgent } from "../../../builder/inputs/ssh/agent-socket.ts";
import { SshAgents, type SshAgentOptions } from "../../../builder/inputs/ssh/agents.ts";
import { maxMessage } from "../../../builder/inputs/ssh/frames.ts";
import { wireString, wireU32 } from "../../../builder/inputs/ssh/wire.ts";
import { makeKey, opensshPem } from "../../rig/openssh-key.ts";
import { AgentClient, ScriptedAgent, signRequest } from "../../rig/ssh-agent.ts";
import { makeTemp } from "../../rig/temp.ts";

async function open(
  options: SshAgentOptions,
  parent: string,
): Promise<{ readonly socketPath: string } & AsyncDisposable> {
  const agent = await openSshAgent(new SshAgents({ default: options }), "default", parent);
  if (agent === undefined) throw new Error("no agent");
  return agent;
}

const data = Buffer.from("data");
const failure = Buffer.of(5);
/** Requests that an agent would obey: to add, remove and lock keys, extensions, those of SSH 1. */
const forbidden = [1, 3, 7, 8, 9, 17, 18, 19, 20, 21, 22, 23, 25, 26, 27, 0, 255].map((number) =>
  Buffer.concat([Buffer.of(number), wireString("session-bind@openssh.com")]),
);

describe("an agent of keys", () => {
  it("lists and signs, nothing else, and tells no comment", async () => {
    using temp = makeTemp();
    const paths = ["ed25519", "rsa"].map((kind) => join(temp.path, kind));
    for (const path of paths) writeFileSync(path, opensshPem(makeKey(path.endsWith("rsa") ? "rsa" : "ed25519")));
    await using agent = await open({ paths }, temp.path);
    using client = new AgentClient(agent.socketPath);
    const [first, second] = await client.keys();
    if (first === undefined || second === undefined) throw new Error("no keys");
    expect((await client.sign(first, data))?.name).toBe("ssh-ed25519");
    expect((await client.sign(second, data, 4))?.name).toBe("rsa-sha2-512");
    expect(await client.sign(Buffer.concat([first, failure]), data)).toBeUndefined();
    expect(await client.ask(Buffer.concat([signRequest(first, data, 0), failure]))).toEqual(failure);
    expect(await client.ask(signRequest(first, data, 0).subarray(0, -1))).toEqual(failure);
    for (const message of forbidden) expect(await client.ask(message)).toEqual(failure);
    expect(await client.keys()).toHaveLength(2);
  });

  it("leaves nothing behind and listens also where the path is too long for a socket", async () => {
    using temp = makeTemp();
    const parent = join(temp.path, "p".repeat(120));
    mkdirSync(parent);
    writeFileSync(join(temp.path, "key"), opensshPem(makeKey("ed25519")));
    let path: string;
    {
      await using agent = await open({ paths: [join(temp.path, "key")] }, parent);
      path = agent.socketPath;
      using client = new AgentClient(path);
      expect(await client.keys()).toHaveLength(1);
    }
    expect(existsSync(path)).toBe(false);
    using late = new AgentClient(path);
    expect(await late.ask(Buffer.of(11))).toBeUndefined();
  });
});

describe("an agent that is forwarded", () => {
  const answers = [Buffer.concat([Buffer.of(12), wireU32(0)]), Buffer.concat([Buffer.of(14), wireString("s")])];

  it("gets what may be asked, and never what may not", async () => {
    using temp = makeTemp();
    await using upstream = await ScriptedAgent.start(temp.path, answers);
    await using agent = await open({ paths: [upstream.path] }, temp.path);
    using client = new AgentClient(agent.socketPath);
    for (const message of forbidden) expect(await client.ask(message)).toEqual(failure);
    expect(upstream.connections.size).toBe(0);
    expect(await client.ask(Buffer.of(11))).toEqual(answers[0]);
    expect(await client.ask(signRequest(Buffer.from("key"), data, 2))).toEqual(answers[1]);
    expect(await client.ask(Buffer.of(11, 0))).toEqual(failure);
    expect(upstream.asked).toEqual([Buffer.of(11), signRequest(Buffer.from("key"), data, 2)]);
    // The third answer is the first again: not what a signature is.
    expect(await client.ask(signRequest(Buffer.from("key"), data, 2))).toEqual(failure);
  });

  it("answers in order when all is asked at once or byte by byte", async () => {
    using temp = makeTemp();
    await using upstream = await ScriptedAgent.start(temp.path, [answers[0] ?? failure]);
    await using agent = await open({ paths: [upstream.path] }, temp.path);
    using client = new AgentClient(agent.socketPath);
    const list = Buffer.concat([wireU32(1), Buffer.of(11)]);
    client.write(Buffer.concat([...Array.from({ length: 40 }, () => list), wireU32(1), Buffer.of(9)]));
    for (let at = 0; at < 40; at++) expect(await client.answer()).toEqual(answers[0]);
    expect(await client.answer()).toEqual(failure);
    for (const byte of list) client.write(Buffer.of(byte));
    expect(await client.answer()).toEqual(answers[0]);
  });

  it.each([0, maxMessage + 1, 0xffff_ffff])("hangs up at a message of %d bytes", async (size) => {
    using temp = makeTemp();
    await using upstream = await ScriptedAgent.start(temp.path, answers);
    await using agent = await open({ paths: [upstream.path] }, temp.path);
    using client = new AgentClient(agent.socketPath);
    client.write(Buffer.concat([wireU32(size), Buffer.of(13)]));
    expect(await client.answer()).toBeUndefined();
    expect(upstream.asked).toEqual([]);
  });

  it("takes the largest message that an agent takes", async () => {
    using temp = makeTemp();
    await using upstream = await ScriptedAgent.start(temp.path, [Buffer.concat([Buffer.of(14), wireString("s")])]);
    await using agent = await open({ paths: [upstream.path] }, temp.path);
    using client = new AgentClient(agent.socketPath);
    const request = signRequest(Buffer.from("key"), Buffer.alloc(maxMessage - 16, 1), 0);
    expect(request).toHaveLength(maxMessage);
    expect((await client.ask(request))?.[0]).toBe(14);
    expect(upstream.asked[0]?.equals(request)).toBe(true);
  });

  it("hangs up when the agent lies about a length or is gone, and ends its connection with the client's", async () => {
    using temp = makeTemp();
    {
      await using upstream = await ScriptedAgent.start(temp.path, [Buffer.alloc(maxMessage + 1, 12)]);
      await using agent = await open({ paths: [upstream.path] }, temp.path);
      using client = new AgentClient(agent.socketPath);
      expect(await client.ask(Buffer.of(11))).toBeUndefined();
    }
    await using upstream = await ScriptedAgent.start(temp.path, answers);
    await using agent = await open({ paths: [upstream.path] }, temp.path);
    const client = new AgentClient(agent.socketPath);
    await client.ask(Buffer.of(11));
    const [connection] = upstream.connections;
    const closed = new Promise((resolve) => connection?.on("close", resolve));
    client[Symbol.dispose]();
    await closed;
    await upstream[Symbol.asyncDispose]();
    using late = new AgentClient(agent.socketPath);
    expect(await late.ask(Buffer.of(11))).toBeUndefined();
  });

  it("passes bytes as they are when it is raw, in both directions, to the end of both", async () => {
    using temp = makeTemp();
    await using upstream = await ScriptedAgent.start(temp.path, [Buffer.of(6)]);
    await using agent = await open({ paths: [upstream.path], raw: true }, temp.path);
    using client = new AgentClient(agent.socketPath);
    expect(await client.ask(Buffer.of(19))).toEqual(Buffer.of(6));
    expect(upstream.asked).toEqual([Buffer.of(19)]);
    for (const connection of upstream.connections) connection.end();
    expect(await client.answer()).toBeUndefined();
  });

  it("has a limit of connections", async () => {
    using temp = makeTemp();
    await using upstream = await ScriptedAgent.start(temp.path, [answers[0] ?? failure]);
    await using agent = await open({ paths: [upstream.path] }, temp.path);
    const clients = Array.from({ length: 65 }, () => new AgentClient(agent.socketPath));
    const got = await Promise.all(clients.map(async (client) => await client.ask(Buffer.of(11))));
    expect(got.filter((answer) => answer === undefined)).toHaveLength(1);
    for (const client of clients) client[Symbol.dispose]();
  });
});

describe("SshAgents", () => {
  it("refuses paths that are neither or that do not go together", async () => {
    using temp = makeTemp();
    const file = (name: string, text: string): string => {
      writeFileSync(join(temp.path, name), text);
      return join(temp.path, name);
    };
    const key = file("key", opensshPem(makeKey("ed25519")));
    const locked = file("locked", opensshPem(makeKey("ed25519"), { cipher: "aes256-ctr" }));
    const large = file("large", "-".repeat((100 << 10) + 1));
    await using upstream = await ScriptedAgent.start(temp.path, []);
    const socket = upstream.path;
    const cases: readonly (readonly [SshAgentOptions, string, RegExp])[] = [
      [{ paths: [] }, "E_SSH_AGENT", /neither a socket nor a key/],
      [{ paths: [join(temp.path, "nowhere")] }, "E_SSH_AGENT", /ENOENT/],
      [{ paths: [socket, key] }, "E_SSH_AGENT", /stands alone/],
      [{ paths: [key, socket] }, "E_SSH_AGENT", /stands alone/],
      [{ paths: [socket, socket] }, "E_SSH_AGENT", /stands alone/],
      [{ paths: [key], raw: true }, "E_SSH_AGENT", /one socket/],
      [{ paths: [locked] }, "E_SSH_KEY", /passphrase/],
      [{ paths: [large] }, "E_SSH_KEY", /100 KiB/],
      [{ paths: [temp.path] }, "E_SSH_KEY", /EISDIR/],
      [{ paths: ["/dev/zero"] }, "E_SSH_KEY", /100 KiB/],
    ];
    for (const [options, code, message] of cases) {
      expect(() => new SshAgents({ x: options })).toThrow(
        expect.objectContaining({ code, message: expect.stringMatching(message) }),
      );
    }
  });
});
