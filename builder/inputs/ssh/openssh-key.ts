import { createPrivateKey, type JsonWebKey, type KeyObject } from "node:crypto";
import { damaged, KeyError, passphraseError } from "./key-error.ts";
import { WireReader } from "./wire.ts";

const magic = "openssh-key-v1\0";
/** The body of `BEGIN OPENSSH PRIVATE KEY`. @throws KeyError, WireError @see openssh's PROTOCOL.key */
export function parseOpensshKey(body: Uint8Array): KeyObject {
  if (!Buffer.from(body).subarray(0, magic.length).equals(Buffer.from(magic)))
    throw new KeyError("it is no OpenSSH key");
  const reader = new WireReader(body.subarray(magic.length));
  const [cipher, kdf] = [reader.string().toString(), reader.string().toString()];
  reader.string();
  if (cipher !== "none" || kdf !== "none") throw passphraseError();
  if (reader.u32() !== 1) throw new KeyError("it holds more than one key");
  reader.string();
  const secret = new WireReader(reader.string());
  if (secret.u32() !== secret.u32()) throw damaged();
  return createPrivateKey({ key: jwkOf(secret), format: "jwk" });
}

function jwkOf(reader: WireReader): JsonWebKey {
  const type = reader.string().toString();
  if (type === "ssh-ed25519") return edwardsKey(reader);
  if (type === "ssh-rsa") return rsaKey(reader);
  const curve = /^ecdsa-sha2-nistp(256|384|521)$/.exec(type)?.[1];
  if (curve !== undefined) return curveKey(reader, `P-${curve}`, Math.ceil(Number(curve) / 8));
  throw new KeyError(`its kind ${JSON.stringify(type.slice(0, 64))} is not supported`, "use ed25519, rsa or ecdsa");
}

/** The secret is the seed, then the public key once more. */
function edwardsKey(reader: WireReader): JsonWebKey {
  const [open, secret] = [reader.string(), reader.string()];
  if (open.length !== 32 || secret.length !== 64) throw damaged();
  return { kty: "OKP", crv: "Ed25519", x: text(open), d: text(secret.subarray(0, 32)) };
}

function rsaKey(reader: WireReader): JsonWebKey {
  const [n, e, d, qi, p, q] = Array.from({ length: 6 }, () => reader.mpint());
  const remainder = (prime: Buffer | undefined): Buffer => {
    const below = toNumber(prime) - 1n;
    if (below <= 0n) throw damaged();
    return fromNumber(toNumber(d) % below);
  };
  const [dp, dq] = [remainder(p), remainder(q)];
  return {
    kty: "RSA",
    n: text(n),
    e: text(e),
    d: text(d),
    p: text(p),
    q: text(q),
    dp: text(dp),
    dq: text(dq),
    qi: text(qi),
  };
}

/** The point is 4, x, y. */
function curveKey(reader: WireReader, crv: string, size: number): JsonWebKey {
  reader.string();
  const [point, secret] = [reader.string(), reader.mpint()];
  if (point.length !== 1 + 2 * size || point[0] !== 4 || secret.length > size) throw damaged();
  const d = Buffer.concat([Buffer.alloc(size - secret.length), secret]);
  return { kty: "EC", crv, x: text(point.subarray(1, 1 + size)), y: text(point.subarray(1 + size)), d: text(d) };
}

function text(bytes: Buffer | undefined): string {
  return (bytes ?? Buffer.alloc(0)).toString("base64url");
}

function toNumber(bytes: Buffer | undefined): bigint {
  return BigInt(`0x${bytes?.toString("hex") ?? ""}0`) >> 4n;
}

function fromNumber(value: bigint): Buffer {
  const digits = value.toString(16);
  return Buffer.from(digits.padStart(digits.length + (digits.length % 2), "0"), "hex");
}
