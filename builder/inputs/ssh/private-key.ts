import { createPrivateKey, createPublicKey, sign, type JsonWebKey, type KeyObject } from "node:crypto";
import { promisify } from "node:util";
import { errorMessage } from "../../../native/errors.ts";
import { damaged, KeyError, passphraseError } from "./key-error.ts";
import { parseOpensshKey } from "./openssh-key.ts";
import { WireError, wireMpint, wireString } from "./wire.ts";

/** A key that an agent has. Its secret is in node:crypto's memory alone. */
export interface AgentKey {
  /** The public key in SSH's form: what clients name it by. */
  readonly blob: Buffer;
  /** A signature in SSH's form. `flags`: those of a sign request, which choose the digest of an RSA key. */
  sign(data: Uint8Array, flags: number): Promise<Buffer>;
}

const signAsync = promisify(sign);
const begin = /-----BEGIN ([A-Z0-9 ]+)-----\r?\n([\s\S]*?)-----END \1-----/;

/** A private key in PEM: PKCS#8, PKCS#1, SEC 1 or OpenSSH's own form, without a passphrase. @throws KeyError */
export function parsePrivateKey(file: string): AgentKey {
  const [block, label = "", body = ""] = begin.exec(file) ?? [];
  if (block === undefined || !label.endsWith("PRIVATE KEY")) throw notPrivate(file);
  if (label.startsWith("ENCRYPTED") || /^Proc-Type:.*ENCRYPTED/m.test(body)) throw passphraseError();
  try {
    const openssh = label.startsWith("OPENSSH");
    return agentKey(openssh ? parseOpensshKey(Buffer.from(body, "base64")) : createPrivateKey(block));
  } catch (error) {
    if (error instanceof KeyError) throw error;
    throw error instanceof WireError ? damaged() : new KeyError(`it cannot be read (${errorMessage(error)})`);
  }
}

function notPrivate(file: string): KeyError {
  const open = /^(?:ssh-|ecdsa-|sk-)|-----BEGIN (?:RSA )?PUBLIC KEY/m.test(file);
  if (open) return new KeyError("it is a public key", "give the private one, or an agent's socket");
  if (file.startsWith("PuTTY-"))
    return new KeyError("it is PuTTY's", "convert it: puttygen FILE -O private-openssh -o NEW");
  return new KeyError("it is no private key in PEM", "give a key made by ssh-keygen, or an agent's socket");
}

/** @throws KeyError for a kind that SSH has no more use for */
function agentKey(secret: KeyObject): AgentKey {
  const open = (): JsonWebKey => createPublicKey(secret).export({ format: "jwk" });
  switch (secret.asymmetricKeyType) {
    case "ed25519":
      return edwards(secret, open());
    case "rsa":
      return rsa(secret, open());
    case "ec":
      return ecdsa(secret, open());
    default:
      throw new KeyError(
        `its kind ${secret.asymmetricKeyType ?? "unknown"} is not supported`,
        "use ed25519, rsa or ecdsa",
      );
  }
}

function edwards(secret: KeyObject, { x }: JsonWebKey): AgentKey {
  const name = "ssh-ed25519";
  return {
    blob: Buffer.concat([wireString(name), wireString(bytes(x))]),
    sign: async (data) => signature(name, await signAsync(null, data, secret)),
  };
}

const rsaDigests = [
  { flag: 4, name: "rsa-sha2-512", digest: "sha512" },
  { flag: 2, name: "rsa-sha2-256", digest: "sha256" },
  { flag: 0, name: "ssh-rsa", digest: "sha1" },
] as const;

function rsa(secret: KeyObject, { e, n }: JsonWebKey): AgentKey {
  return {
    blob: Buffer.concat([wireString("ssh-rsa"), wireMpint(bytes(e)), wireMpint(bytes(n))]),
    sign: async (data, flags) => {
      const { name, digest } = rsaDigests.find(({ flag }) => (flags & flag) === flag) ?? rsaDigests[2];
      return signature(name, await signAsync(digest, data, secret));
    },
  };
}

const curves: Readonly<Record<string, { readonly name: string; readonly digest: string }>> = {
  "P-256": { name: "nistp256", digest: "sha256" },
  "P-384": { name: "nistp384", digest: "sha384" },
  "P-521": { name: "nistp521", digest: "sha512" },
};

function ecdsa(secret: KeyObject, { crv, x, y }: JsonWebKey): AgentKey {
  const curve = curves[crv ?? ""];
  if (curve === undefined) throw new KeyError("its curve is not supported", "use nistp256, nistp384 or nistp521");
  const name = `ecdsa-sha2-${curve.name}`;
  const point = Buffer.concat([Buffer.of(4), bytes(x), bytes(y)]);
  return {
    blob: Buffer.concat([wireString(name), wireString(curve.name), wireString(point)]),
    sign: async (data) => {
      const both = await signAsync(curve.digest, data, { key: secret, dsaEncoding: "ieee-p1363" });
      const half = both.length / 2;
      return signature(name, Buffer.concat([wireMpint(both.subarray(0, half)), wireMpint(both.subarray(half))]));
    },
  };
}

function signature(name: string, value: Uint8Array): Buffer {
  return Buffer.concat([wireString(name), wireString(value)]);
}

function bytes(text: string | undefined): Buffer {
  return Buffer.from(text ?? "", "base64url");
}
