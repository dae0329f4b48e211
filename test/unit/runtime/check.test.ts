import { expect, test } from "vitest";
import { checkSpec } from "../../../runtime/container/check.ts";
import type { ContainerSpec } from "../../../runtime/index.ts";

const good: ContainerSpec = {
  id: "a-1",
  root: { kind: "bind", source: "/r" },
  mounts: [],
  hostname: "box",
  args: ["/bin/true"],
  env: [],
  cwd: "/",
  user: { uid: 0xffff_fffe, gid: 0, additionalGids: [1] },
  network: "none",
};
const refused = (change: Partial<ContainerSpec>): void =>
  expect(() => checkSpec({ ...good, ...change }), JSON.stringify(change)).toThrow(
    expect.objectContaining({ code: "E_CONTAINER_SPEC" }),
  );

test("checkSpec() refuses users and groups that the kernel would wrap around to root or leave as they are", () => {
  checkSpec(good);
  for (const number of [-1, 0xffff_ffff, 2 ** 32, 1.5, Number.NaN]) {
    refused({ user: { uid: number, gid: 0, additionalGids: [] } });
    refused({ user: { uid: 0, gid: number, additionalGids: [] } });
    refused({ user: { uid: 0, gid: 0, additionalGids: [number] } });
  }
});

test("checkSpec() refuses NUL in arguments, environment and names, ids that are paths, and no program", () => {
  refused({ args: ["a\0b"] });
  refused({ env: ["A\0B=1"] });
  refused({ hostname: "a\0" });
  const [kind, target] = ["bind", "/b"] as const;
  refused({ root: { kind, source: "/r\0" } });
  refused({ root: { kind: "overlay", layers: { lower: ["/a", "/b\0"] } } });
  refused({ mounts: [{ kind, source: "/a\0", target, attributes: [] }] });
  refused({ mounts: [{ kind, source: "/a", target, attributes: [], inside: "\0" }] });
  refused({ mounts: [{ kind: "filesystem", type: "tmpfs", source: "x", target, attributes: [], data: ["a\0"] }] });
  for (const id of ["", "..", "a/b", "-a", ".a", "a b", "a".repeat(129)]) refused({ id });
  refused({ args: [] });
});

test("checkSpec() refuses a mount whose attachment is not there", () => {
  const owned = { target: "/run/x", attributes: [], mode: 0o600, uid: 0, gid: 0 } as const;
  const [file, socket] = [
    { kind: "file", ...owned, content: { attachment: "secret:a" } },
    { kind: "socket", ...owned, attachment: "ssh:a" },
  ] as const;
  refused({ mounts: [file] });
  refused({ mounts: [socket] });
  // Neither takes the other's.
  const swapped = {
    files: new Map([["ssh:a", Buffer.from("x")]]),
    sockets: new Map([["secret:a", () => undefined]]),
  };
  expect(() => checkSpec({ ...good, mounts: [file] }, swapped)).toThrow(/secret:a/);
  expect(() => checkSpec({ ...good, mounts: [socket] }, swapped)).toThrow(/ssh:a/);
  checkSpec({ ...good, mounts: [file] }, { files: new Map([["secret:a", Buffer.from("x")]]) });
  checkSpec({ ...good, mounts: [socket] }, { sockets: new Map([["ssh:a", () => undefined]]) });
  checkSpec({ ...good, mounts: [{ kind: "file", ...owned, content: { text: "x" } }] });
});
