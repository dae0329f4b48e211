import { createSign, generateKeyPairSync, randomBytes, type KeyObject } from "node:crypto";

/** A certificate and its private key, as PEM. */
export interface CertificatePair {
  readonly cert: string;
  readonly key: string;
}

/** An authority of a test's own, that makes certificates for servers on loopback and for clients. */
export class TestAuthority {
  readonly cert: string;
  readonly #name: Buffer;
  readonly #key: KeyObject;

  constructor(name: string) {
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    this.#name = commonName(name);
    this.#key = privateKey;
    this.cert = this.#sign(this.#name, publicKey, [extension("2.5.29.19", sequence(boolean(true)), true)]);
  }

  /** For 127.0.0.1 and localhost, and more names. */
  server(more: readonly string[] = []): CertificatePair {
    const named = ["localhost", ...more].map((name) => tlv(0x82, Buffer.from(name)));
    const names = sequence(tlv(0x87, Buffer.from([127, 0, 0, 1])), ...named);
    return this.#issue("server", [extension("2.5.29.17", names)]);
  }

  client(name: string): CertificatePair {
    return this.#issue(name, []);
  }

  #issue(name: string, extensions: readonly Buffer[]): CertificatePair {
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const key = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
    return { cert: this.#sign(commonName(name), publicKey, extensions), key };
  }

  /** @see RFC 5280 4.1 */
  #sign(subject: Buffer, publicKey: KeyObject, extensions: readonly Buffer[]): string {
    const algorithm = sequence(oid("1.2.840.10045.4.3.2")); // ecdsa-with-SHA256
    const body = sequence(
      tlv(0xa0, integer(Buffer.from([2]))),
      integer(Buffer.concat([Buffer.from([1]), randomBytes(8)])),
      algorithm,
      this.#name,
      sequence(time("20200101000000Z"), time("21200101000000Z")),
      subject,
      publicKey.export({ type: "spki", format: "der" }),
      ...(extensions.length === 0 ? [] : [tlv(0xa3, sequence(...extensions))]),
    );
    const signature = createSign("sha256").update(body).sign(this.#key);
    const der = sequence(body, algorithm, tlv(0x03, Buffer.concat([Buffer.from([0]), signature])));
    const lines = der.toString("base64").replace(/.{64}/g, "$&\n").trimEnd();
    return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
  }
}

function tlv(tag: number, body: Buffer): Buffer {
  const { length } = body;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from([tag, ...size]), body]);
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return tlv(0x30, Buffer.concat(parts));
}

function integer(bytes: Buffer): Buffer {
  return tlv(0x02, bytes);
}

function boolean(value: boolean): Buffer {
  return tlv(0x01, Buffer.from([value ? 255 : 0]));
}

function time(text: string): Buffer {
  return tlv(0x18, Buffer.from(text));
}

function oid(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split(".").map(Number);
  const groups = rest.flatMap((number) => {
    const bytes = [number & 127];
    for (let left = number >> 7; left > 0; left >>= 7) bytes.unshift((left & 127) | 128);
    return bytes;
  });
  return tlv(0x06, Buffer.from([first * 40 + second, ...groups]));
}

function commonName(name: string): Buffer {
  return sequence(tlv(0x31, sequence(oid("2.5.4.3"), tlv(0x0c, Buffer.from(name)))));
}

function extension(id: string, value: Buffer, critical = false): Buffer {
  return sequence(oid(id), ...(critical ? [boolean(true)] : []), tlv(0x04, value));
}
