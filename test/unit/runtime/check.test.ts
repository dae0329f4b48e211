import { expect, test } from "vitest";
import { checkSpec } from "../../../runtime/container/check.ts";
import type { ContainerSpec } from "../../../runtime/index.ts";

const good: ContainerSpec = {
  id: "a-1",
  root: { type: "bind", source: "/r", target: "/", options: [] },
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
  refused({ mounts: [{ type: "bind", source: "/a\0", target: "/b", options: [] }] });
  for (const id of ["", "..", "a/b", "-a", ".a", "a b", "a".repeat(129)]) refused({ id });
  refused({ args: [] });
});
