const shown = Buffer.from("****");
/** What is shorter than this is found in too much that is no secret. */
const shortest = 4;

/** The values that no log may show: each as a whole, and each line of it. */
export class SecretMask {
  /** By their first four bytes; longest first. */
  readonly #needles = new Map<number, Buffer[]>();
  readonly #first = new Uint8Array(256);
  #longest = 0;

  /** Masks a value from now on. */
  add(value: Uint8Array): void {
    const text = Buffer.from(value);
    for (const part of [text.toString("latin1"), ...text.toString("latin1").split("\n")])
      this.#addNeedle(Buffer.from(part.trim(), "latin1"));
  }

  /** A stream's own filter: what is split over several writes is found too. */
  stream(): MaskedStream {
    return new MaskedStream((data, last) => this.#replace(data, last));
  }

  /** The text without secrets. */
  text(text: string): string {
    return this.#longest === 0 ? text : this.#replace(Buffer.from(text), true).done.toString();
  }

  #addNeedle(needle: Buffer): void {
    if (needle.length < shortest) return;
    const key = needle.readUInt32LE(0);
    const known = this.#needles.get(key) ?? [];
    if (known.some((one) => one.equals(needle))) return;
    this.#needles.set(
      key,
      [...known, needle].toSorted((a, b) => b.length - a.length),
    );
    this.#first[needle[0] ?? 0] = 1;
    this.#longest = Math.max(this.#longest, needle.length);
  }

  /** `rest`: the end, which may be the beginning of a secret, unless nothing follows. */
  #replace(data: Buffer, last: boolean): { readonly done: Buffer; readonly rest: Buffer } {
    const out: Buffer[] = [];
    let from = 0;
    let at = 0;
    while (at < data.length) {
      if (this.#first[data[at] ?? 0] === 0) {
        at++;
        continue;
      }
      if (!last && this.#mayBegin(data, at)) break;
      const found = this.#found(data, at);
      if (found === 0) {
        at++;
        continue;
      }
      out.push(data.subarray(from, at), shown);
      at += found;
      from = at;
    }
    out.push(data.subarray(from, at));
    return { done: Buffer.concat(out), rest: data.subarray(at) };
  }

  /** Length of the longest secret that stands there. */
  #found(data: Buffer, at: number): number {
    if (data.length - at < shortest) return 0;
    const needles = this.#needles.get(data.readUInt32LE(at)) ?? [];
    return needles.find((needle) => data.subarray(at, at + needle.length).equals(needle))?.length ?? 0;
  }

  /** Whether all that is left is the beginning of a longer secret. */
  #mayBegin(data: Buffer, at: number): boolean {
    const left = data.length - at;
    if (left >= this.#longest) return false;
    const candidates = left < shortest ? [...this.#needles.values()].flat() : this.#needles.get(data.readUInt32LE(at));
    const end = data.subarray(at);
    return candidates?.some((needle) => needle.length > left && needle.subarray(0, left).equals(end)) ?? false;
  }
}

/** One stream of bytes without secrets. */
export class MaskedStream {
  readonly #replace: (data: Buffer, last: boolean) => { readonly done: Buffer; readonly rest: Buffer };
  #rest: Buffer = Buffer.alloc(0);

  constructor(replace: (data: Buffer, last: boolean) => { readonly done: Buffer; readonly rest: Buffer }) {
    this.#replace = replace;
  }

  /** What can be shown of all that came; the end of it may be kept until more comes. */
  push(data: Buffer): Buffer {
    const { done, rest } = this.#replace(this.#rest.length === 0 ? data : Buffer.concat([this.#rest, data]), false);
    this.#rest = Buffer.from(rest);
    return done;
  }

  /** The rest. */
  end(): Buffer {
    const { done } = this.#replace(this.#rest, true);
    this.#rest = Buffer.alloc(0);
    return done;
  }
}
