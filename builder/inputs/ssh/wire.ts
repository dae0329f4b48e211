/** Bytes are not what SSH's binary form has. */
export class WireError extends Error {
  override readonly name: string = "WireError";
}

/** Reads values of SSH's binary form one after the other. @throws WireError at the end @see RFC 4251 section 5 */
export class WireReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  byte(): number {
    return this.#take(1).readUInt8();
  }

  u32(): number {
    return this.#take(4).readUInt32BE();
  }

  /** Length and bytes; a view. */
  string(): Buffer {
    return this.#take(this.u32());
  }

  /** A number that is not negative, without leading zeros. */
  mpint(): Buffer {
    const bytes = this.string();
    if ((bytes[0] ?? 0) >= 0x80) throw new WireError("a number is negative");
    return unsigned(bytes);
  }

  rest(): Buffer {
    return this.#take(this.#bytes.length - this.#at);
  }

  /** Nothing may be left. */
  end(): void {
    if (this.#at !== this.#bytes.length) throw new WireError("there is more than belongs there");
  }

  #take(size: number): Buffer {
    if (this.#bytes.length - this.#at < size) throw new WireError("it is cut off");
    this.#at += size;
    return this.#bytes.subarray(this.#at - size, this.#at);
  }
}

export function wireU32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

export function wireString(value: Uint8Array | string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([wireU32(bytes.length), bytes]);
}

/** `bytes`: a number that is not negative, big endian. */
export function wireMpint(bytes: Uint8Array): Buffer {
  const number = unsigned(Buffer.from(bytes));
  return wireString((number[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), number]) : number);
}

function unsigned(bytes: Buffer): Buffer {
  const first = bytes.findIndex((byte) => byte !== 0);
  return bytes.subarray(first < 0 ? bytes.length : first);
}
