import { spawnSync } from "node:child_process";
import { createPublicKey, verify } from "node:crypto";
import { closeSync, openSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { WireReader } from "../../../builder/inputs/ssh/wire.ts";
import { makeKey, opensshPem } from "../../rig/openssh-key.ts";
import { fromBusybox, Project } from "../../rig/project.ts";
import { ScriptedAgent, signRequest } from "../../rig/ssh-agent.ts";
import { makeTemp, type Temp } from "../../rig/temp.ts";

const key = makeKey("ed25519");
const data = Buffer.from("signed in a step");
/** Where the steps' mounts are when nothing else is said. */
const socket = (number: number): string => `/run/buildkit/ssh_agent.${number}`;
let temp: Temp;
let keyFile: string;

beforeAll(() => {
  temp = makeTemp();
  keyFile = join(temp.path, "key");
  writeFileSync(keyFile, opensshPem(key));
  const source = join(import.meta.dirname, "client.c");
  const made = spawnSync("cc", ["-static", "-O1", "-o", join(temp.path, "client"), source], { encoding: "utf8" });
  if (made.status !== 0) throw new Error(`cc: ${made.stderr}`);
  return () => temp[Symbol.dispose]();
});

/** `steps` after a base that has the client. */
function project(steps: string): Project {
  const made = new Project({ Dockerfile: `${fromBusybox}COPY --chmod=755 client /bin/\n${steps}` });
  writeFileSync(join(made.directory, "client"), readFileSync(join(temp.path, "client")));
  return made;
}

describe("RUN --mount=type=ssh", () => {
  it("lets a step list and use the keys of files, and nothing of it stays", async () => {
    const blob = new WireReader(
      Buffer.from(createPublicKey(key).export({ format: "jwk" }).x ?? "", "base64url"),
    ).rest();
    const open = Buffer.concat([
      Buffer.from([0, 0, 0, 11]),
      Buffer.from("ssh-ed25519"),
      Buffer.from([0, 0, 0, 32]),
      blob,
    ]);
    const sign = signRequest(open, data, 0).toString("hex");
    using made = project(`RUN --mount=type=ssh echo $SSH_AUTH_SOCK && client $SSH_AUTH_SOCK 0b ${sign} 13 1b
RUN ls -A / && test ! -e /run
RUN --mount=type=ssh client $SSH_AUTH_SOCK && cat /proc/self/mountinfo | grep ssh_agent && cat /proc/net/unix
`);
    const ssh = { default: { paths: [keyFile] } };
    const { error, log } = await made.build({ ssh });
    expect(error).toBeUndefined();
    const [path, listed, signed = "", locked, extended, ...rest] = log.split("\n");
    expect([path, locked, extended]).toEqual([socket(0), "05", "05"]);
    expect(listed).toBe(`0c00000001${"00000033"}${open.toString("hex")}00000000`);
    const reader = new WireReader(new WireReader(Buffer.from(signed.slice(2), "hex")).string());
    expect(reader.string().toString()).toBe("ssh-ed25519");
    expect(verify(null, data, createPublicKey(key), reader.string())).toBe(true);
    expect(rest).toContain("peer socket");
    expect(rest.join("\n")).not.toMatch(/\/(?:tmp|proc\/\d|proc\/self)/);
    expect(readdirSync(join(made.store, "..")).toSorted()).toEqual(["context", "store"]);
    expect((await made.build()).log).toBe("");
  });

  it("gives the socket to whom the flag says, where it says, several in a step", async () => {
    using made = project(`USER app
RUN --mount=type=ssh client ${socket(0)} 0b
RUN --mount=type=ssh,uid=1000 client ${socket(0)} 0b && stat -c '%a %u:%g %F' ${socket(0)}
RUN --mount=type=ssh,mode=0660,gid=1001 client ${socket(0)} 0b && stat -c '%a %u:%g' ${socket(0)}
WORKDIR /w
RUN --mount=type=ssh,id=b,target=here,mode=666 --mount=type=ssh,uid=1000 \\
  echo $SSH_AUTH_SOCK && client /w/here 0b && client ${socket(1)} 0b
`);
    await using other = await ScriptedAgent.start(temp.path, [Buffer.from([12, 0, 0, 0, 0])]);
    const { error, log } = await made.build({ ssh: { default: { paths: [keyFile] }, b: { paths: [other.path] } } });
    expect(error).toBeUndefined();
    const one = expect.stringMatching(/^0c00000001/);
    const lines = log.trim().split("\n");
    expect(lines).toEqual([
      "Permission denied",
      one,
      "600 1000:0 socket",
      one,
      "660 0:1001",
      "/w/here",
      "0c00000000",
      one,
    ]);
  });

  it("is left out where nobody gave it, and an error at its line where it is required", async () => {
    using made = project(`ENV SSH_AUTH_SOCK=/own
RUN --mount=type=ssh echo $SSH_AUTH_SOCK && test ! -e /run
RUN --mount=type=ssh,id=deploy,required=true true
`);
    const { error, log } = await made.build({ ssh: { default2: { paths: [keyFile] } } });
    expect(log).toBe("/own\n");
    expect(error).toMatchObject({
      code: "E_SSH_NOT_FOUND",
      location: { start: { line: 6 } },
      hint: expect.stringContaining("--ssh deploy=KEY"),
    });
  });

  it("ends with the step: processes that stay have nobody to ask", async () => {
    using made = project(
      `RUN --mount=type=ssh (client $SSH_AUTH_SOCK 0b; touch /done; sleep 1000) & \\
  until test -e /done; do sleep 0.01; done; client $SSH_AUTH_SOCK 0b
`,
    );
    await using agent = await ScriptedAgent.start(temp.path, [Buffer.from([12, 0, 0, 0, 0])]);
    const { error, log } = await made.build({ ssh: { default: { paths: [agent.path] } } });
    expect(error).toBeUndefined();
    expect(log).toBe("0c00000000\n0c00000000\n");
    while (agent.connections.size > 0) await new Promise((resolve) => setImmediate(resolve));
  });

  it("passes bytes of another protocol when it is raw", async () => {
    using made = project(`RUN --mount=type=ssh,required client $SSH_AUTH_SOCK 13ff\n`);
    await using agent = await ScriptedAgent.start(temp.path, [Buffer.from("any")]);
    const { log } = await made.build({ ssh: { default: { paths: [agent.path], raw: true } } });
    expect(log).toBe(`${Buffer.from("any").toString("hex")}\n`);
    expect(agent.asked).toEqual([Buffer.from([0x13, 0xff])]);
  });

  it("is there in the shell of a step that failed", async () => {
    using made = project(`RUN --mount=type=ssh client $SSH_AUTH_SOCK 0b && false\n`);
    const file = join(temp.path, "shell-output");
    const fd = openSync(file, "w");
    const { error } = await made.build({
      ssh: { default: { paths: [keyFile] } },
      debug: {
        command: ["/bin/sh", "-c", "client $SSH_AUTH_SOCK 0b"],
        attend: async ({ start }) => {
          const stdio = { stdin: 0, stdout: fd, stderr: fd };
          await using shell = await start({ terminal: undefined, stdio, signal: new AbortController().signal });
          await shell.exited;
          return 0;
        },
      },
    });
    closeSync(fd);
    expect(error).toMatchObject({ code: "E_RUN_FAILED" });
    expect(readFileSync(file, "utf8")).toMatch(/^0c00000001/);
  });

  it("tells of an agent that cannot be used before anything runs", async () => {
    using made = project(`RUN echo ran\n`);
    const { error, log } = await made.build({ ssh: { default: { paths: ["/nowhere"] } } });
    expect(error).toMatchObject({ code: "E_SSH_AGENT" });
    expect(log).toBe("");
  });
});
