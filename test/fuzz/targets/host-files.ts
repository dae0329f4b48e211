import { resolveOwner, resolveUser } from "../../../builder/ops/container/user.ts";
import { parseRequest } from "../../../builder/inputs/ssh/agent.ts";
import { KeyError } from "../../../builder/inputs/ssh/key-error.ts";
import { parseOpensshKey } from "../../../builder/inputs/ssh/openssh-key.ts";
import { parsePrivateKey } from "../../../builder/inputs/ssh/private-key.ts";
import { WireError, wireString, wireU32 } from "../../../builder/inputs/ssh/wire.ts";
import { parseSubordinates } from "../../../builder/cli/host/user-namespace.ts";
import { parseIdMap } from "../../../native/user-namespace.ts";
import { resolution } from "../../../runtime/network/resolv.ts";
import { outcome } from "../rig/check.ts";
import type { FuzzTarget } from "../rig/target.ts";

const maxId = 4_294_967_294;

/** What USER says, then passwd and group of an image. */
export const users: FuzzTarget = {
  name: "users",
  sources: ["builder/ops/container/user.ts"],
  tokens: [
    "root",
    "app",
    "0",
    "1000",
    "4294967295",
    "4294967296",
    "-1",
    "0x0",
    "+0",
    ":",
    "\n",
    "\0",
    "x",
    "/home",
    ",",
    "#",
    "٣",
  ],
  seeds: [
    "app\0root:x:0:0:root:/root:/bin/sh\napp:x:1000:1001::/home/app:\0app:x:1001:\nextra:x:5:app,root\n",
    "4294967296\x004294967296:x:0:0\0",
    "1:2\0\0",
    ":\0\0",
  ],
  check(input) {
    const [text = "", passwd = "", group = ""] = input.toString("utf8").split("\0");
    const files = { passwd, group };
    const user = outcome(() => resolveUser(text, files)).value;
    const owner = outcome(() => resolveOwner(text, files)).value;
    for (const one of [user, owner]) {
      if (one === undefined) continue;
      const ids = [one.uid, one.gid, ...(user?.additionalGids ?? [])];
      if (ids.some((id) => !Number.isInteger(id) || id < 0 || id > maxId)) throw new Error(`a number of ${ids}`);
    }
  },
};

/** Lists of numbers and addresses that the host has. */
export const hostfiles: FuzzTarget = {
  name: "hostfiles",
  sources: ["native/user-namespace.ts", "builder/cli/host/user-namespace.ts", "runtime/network/resolv.ts"],
  tokens: [
    "0",
    "1000",
    "65536",
    " ",
    ":",
    "\n",
    "nameserver ",
    "127.0.0.1",
    "8.8.8.8",
    "search ",
    "options ",
    "#",
    "\t",
  ],
  seeds: [
    "0 1000 1\n1 100000 65536\n",
    "app:100000:65536\n1000:1:2\n",
    "nameserver 127.0.0.53\nsearch a\noptions ndots:1\n",
  ],
  check(input) {
    const text = input.toString("utf8");
    outcome(() => parseIdMap(text));
    outcome(() => parseSubordinates(text, "app", 1000));
    outcome(() => resolution(text, text));
  },
};

/** What a step says to an ssh agent, and keys that a user gives. */
export const sshKeys: FuzzTarget = {
  name: "ssh",
  sources: ["builder/inputs/ssh/"],
  tokens: [
    "\x0b",
    "\x0d",
    "\0\0\0\x01",
    "\0\0\0\0",
    "\xff\xff\xff\xff",
    "ssh-rsa",
    "ssh-ed25519",
    "openssh-key-v1\0",
    "-----BEGIN OPENSSH PRIVATE KEY-----\n",
    "-----END OPENSSH PRIVATE KEY-----\n",
    "-----BEGIN RSA PRIVATE KEY-----\n",
    "none",
    "AAAA",
  ],
  seeds: [
    Buffer.of(11),
    Buffer.concat([Buffer.of(13), wireString("key"), wireString("data"), wireU32(2)]),
    `-----BEGIN OPENSSH PRIVATE KEY-----\n${Buffer.concat([Buffer.from("openssh-key-v1\0"), wireString("none"), wireString("none"), wireString(""), wireU32(1), wireString("k"), wireString(Buffer.concat([wireU32(7), wireU32(7), wireString("ssh-rsa"), wireString("\x05"), wireString("\x03"), wireString("\x01"), wireString("\x01"), wireString("\x02"), wireString("\x02")]))]).toString("base64")}\n-----END OPENSSH PRIVATE KEY-----\n`,
  ],
  check(input) {
    parseRequest(input);
    outcome(() => parsePrivateKey(input.toString("latin1")), KeyError);
    outcome(
      () => {
        try {
          return parseOpensshKey(input);
        } catch (error) {
          // parsePrivateKey() gives what node:crypto says a name.
          if (error instanceof Error && "code" in error) throw new WireError("not a key");
          throw error;
        }
      },
      KeyError,
      WireError,
    );
  },
};
