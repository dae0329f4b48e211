import { createPublicKey, generateKeyPairSync, verify } from "node:crypto";
import { describe, expect, it } from "vitest";
import { parsePrivateKey } from "../../../builder/inputs/ssh/private-key.ts";
import { WireReader } from "../../../builder/inputs/ssh/wire.ts";
import { keyKinds, makeKey, opensshPem } from "../../rig/openssh-key.ts";

const data = Buffer.from("what is signed");
const digests: Readonly<Record<string, string>> = {
  "rsa-sha2-512": "sha512",
  "rsa-sha2-256": "sha256",
  "ssh-rsa": "sha1",
  "ecdsa-sha2-nistp256": "sha256",
  "ecdsa-sha2-nistp384": "sha384",
  "ecdsa-sha2-nistp521": "sha512",
};

/** Both numbers as wide as the curve's. */
function fixedSize(value: Buffer, crv: string): Buffer {
  const reader = new WireReader(value);
  const size = Math.ceil(Number(crv.slice(2)) / 8);
  const padded = [reader.mpint(), reader.mpint()].map((number) =>
    Buffer.concat([Buffer.alloc(size - number.length), number]),
  );
  reader.end();
  return Buffer.concat(padded);
}

describe("parsePrivateKey()", () => {
  it.each(keyKinds)("reads a key of kind %s in each of its forms, and its signatures are good", async (kind) => {
    const secret = makeKey(kind);
    const forms = [
      opensshPem(secret),
      secret.export({ format: "pem", type: "pkcs8" }).toString(),
      ...(kind === "rsa" ? [secret.export({ format: "pem", type: "pkcs1" }).toString()] : []),
      ...(kind.startsWith("P") ? [secret.export({ format: "pem", type: "sec1" }).toString()] : []),
    ];
    const keys = forms.map((form) => parsePrivateKey(`a line before\n${form.replaceAll("\n", "\r\n")}`));
    expect(new Set(keys.map(({ blob }) => blob.toString("hex"))).size).toBe(1);
    const open = createPublicKey(secret);
    for (const key of keys) {
      for (const flags of kind === "rsa" ? [4, 2, 6, 0] : [0]) {
        const reader = new WireReader(await key.sign(data, flags));
        const [name, value] = [reader.string().toString(), reader.string()];
        reader.end();
        const curve = kind.startsWith("P");
        const good = verify(
          digests[name],
          data,
          curve ? { key: open, dsaEncoding: "ieee-p1363" } : open,
          curve ? fixedSize(value, kind) : value,
        );
        expect({ name, good }).toEqual({ name: expect.any(String), good: true });
        if (kind === "rsa") expect(name).toBe(flags >= 4 ? "rsa-sha2-512" : flags === 2 ? "rsa-sha2-256" : "ssh-rsa");
      }
    }
  });

  const ed25519 = makeKey("ed25519");
  const openssh = opensshPem(ed25519);
  const locked = { cipher: "aes-256-cbc", passphrase: "x" } as const;
  const traditional = makeKey("rsa")
    .export({ format: "pem", type: "pkcs1", ...locked })
    .toString();
  const dsa = generateKeyPairSync("dsa", { modulusLength: 1024, divisorLength: 160 }).privateKey;
  const secp256k1 = generateKeyPairSync("ec", { namedCurve: "secp256k1" }).privateKey;
  it.each([
    ["OpenSSH, encrypted", opensshPem(ed25519, { cipher: "aes256-ctr" }), "protected by a passphrase"],
    ["PKCS#8, encrypted", ed25519.export({ format: "pem", type: "pkcs8", ...locked }).toString(), "by a passphrase"],
    ["PKCS#1, encrypted", traditional, "by a passphrase"],
    ["cut off", openssh.replace(/\n.+\n(?=\n?-----END)/, "\n"), "damaged"],
    ["OpenSSH without its magic", openssh.replace("b3BlbnNzaC1rZXktdjE", "c3BlbnNzaC1rZXktdjE"), "no OpenSSH key"],
    ["DSA", dsa.export({ format: "pem", type: "pkcs8" }).toString(), "kind dsa is not supported"],
    ["another curve", secp256k1.export({ format: "pem", type: "pkcs8" }).toString(), "curve is not supported"],
    ["a public key", "ssh-ed25519 AAAA somebody", "it is a public key"],
    ["PuTTY", "PuTTY-User-Key-File-3: ssh-ed25519\n", "PuTTY's"],
    ["text", "no key at all", "no private key in PEM"],
    ["PEM without sense", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "cannot be read"],
    ["a certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "no private key"],
  ])("refuses %s and says why", (_, file, message) => {
    expect(() => parsePrivateKey(file)).toThrow(message);
  });
});
