import { generateKeyPairSync, type JsonWebKey, type KeyObject } from "node:crypto";
import { wireMpint, wireString, wireU32 } from "../../builder/inputs/ssh/wire.ts";

/** The kinds of keys that ssh-keygen makes. */
export const keyKinds = ["ed25519", "rsa", "P-256", "P-384", "P-521"] as const;
export type KeyKind = (typeof keyKinds)[number];

export function makeKey(kind: KeyKind): KeyObject {
  if (kind === "ed25519") return generateKeyPairSync("ed25519").privateKey;
  if (kind === "rsa") return generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
  return generateKeyPairSync("ec", { namedCurve: kind }).privateKey;
}

/** A key as ssh-keygen writes it, with a comment. @see openssh's PROTOCOL.key */
export function opensshPem(key: KeyObject, options: { readonly cipher?: string } = {}): string {
  const jwk = key.export({ format: "jwk" });
  const secret = Buffer.concat([wireU32(7), wireU32(7), secretOf(jwk), wireString("somebody@somewhere")]);
  const padding = Buffer.from(Array.from({ length: (8 - (secret.length % 8)) % 8 }, (_, at) => at + 1));
  const { cipher = "none" } = options;
  const body = Buffer.concat([
    Buffer.from("openssh-key-v1\0"),
    wireString(cipher),
    wireString(cipher === "none" ? "none" : "bcrypt"),
    wireString(cipher === "none" ? "" : Buffer.alloc(24)),
    wireU32(1),
    wireString("the public key, which nobody reads here"),
    wireString(Buffer.concat([secret, padding])),
  ]);
  const lines = body.toString("base64").replaceAll(/.{70}/g, "$&\n");
  return `-----BEGIN OPENSSH PRIVATE KEY-----\n${lines}\n-----END OPENSSH PRIVATE KEY-----\n`;
}

function secretOf(jwk: JsonWebKey): Buffer {
  const part = (name: "x" | "y" | "d" | "n" | "e" | "qi" | "p" | "q"): Buffer =>
    Buffer.from(jwk[name] ?? "", "base64url");
  if (jwk.kty === "OKP") {
    const both = wireString(Buffer.concat([part("d"), part("x")]));
    return Buffer.concat([wireString("ssh-ed25519"), wireString(part("x")), both]);
  }
  if (jwk.kty === "RSA") {
    const numbers = (["n", "e", "d", "qi", "p", "q"] as const).map((name) => wireMpint(part(name)));
    return Buffer.concat([wireString("ssh-rsa"), ...numbers]);
  }
  const curve = `nistp${jwk.crv?.slice(2) ?? ""}`;
  const point = Buffer.concat([Buffer.of(4), part("x"), part("y")]);
  return Buffer.concat([wireString(`ecdsa-sha2-${curve}`), wireString(curve), wireString(point), wireMpint(part("d"))]);
}
