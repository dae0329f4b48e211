import type { NeedleSet } from "./needle-set.ts";

const shown = Buffer.from("****");

/**
 * One stream of bytes in which texts are replaced, at each place the longest that begins there. What comes is given on at
 * once, save the end that may be the beginning of a text.
 */
export class MaskedStream {
  readonly #current: () => NeedleSet;
  #set: NeedleSet;
  /** What is held back is the text of this node. */
  #node = 0;

  /** `current`: what is looked for; it may become more while the stream goes on. */
  constructor(current: () => NeedleSet) {
    this.#current = current;
    this.#set = current();
  }

  /** What can be shown of all that came; the end of it may be kept until more comes. */
  push(data: Buffer): Buffer {
    const set = this.#current();
    if (set === this.#set) return this.#search(data, false);
    const held = this.#set.prefix(this.#node);
    this.#set = set;
    this.#node = 0;
    return this.#search(Buffer.concat([held, data]), false);
  }

  /** The rest. */
  end(): Buffer {
    return this.#search(Buffer.alloc(0), true);
  }

  #search(data: Buffer, last: boolean): Buffer {
    const search = new Search(this.#set, this.#node, data);
    const done = search.run(last);
    this.#node = search.node;
    return done;
  }
}

/** Positions are those of `data`; what was held back before has negative ones. */
class Search {
  node: number;
  readonly #set: NeedleSet;
  readonly #data: Buffer;
  readonly #held: Buffer;
  readonly #out: Buffer[] = [];
  /** Where the node's text begins: all before it is decided. */
  #start: number;
  /** What is before it has been given out or replaced. */
  #given: number;

  constructor(set: NeedleSet, node: number, data: Buffer) {
    this.node = node;
    this.#set = set;
    this.#data = data;
    this.#held = set.prefix(node);
    this.#start = this.#given = -this.#held.length;
  }

  run(last: boolean): Buffer {
    const set = this.#set;
    for (let at = 0; at < this.#data.length; at++) {
      const byte = this.#data[at] ?? 0;
      let child = set.child(this.node, byte);
      while (child === 0 && this.node !== 0) {
        this.#follow();
        child = set.child(this.node, byte);
      }
      this.node = child;
      if (child === 0) this.#start = at + 1;
      // Nothing longer can come.
      else while (this.node !== 0 && set.firstChild[this.node] === 0) this.#follow();
    }
    while (last && this.node !== 0) this.#follow();
    this.#give(this.#start);
    const [only] = this.#out;
    return this.#out.length === 1 && only !== undefined ? only : Buffer.concat(this.#out);
  }

  /** Goes on at the link of the node, and once more while its text begins inside of what has been replaced. */
  #follow(): void {
    do {
      const set = this.#set;
      const link = set.link[this.node] ?? 0;
      const next = this.#start + (set.depth[this.node] ?? 0) - (set.depth[link] ?? 0);
      for (let at = Math.max(this.#start, this.#given); at < next; at = Math.max(at + 1, this.#given)) {
        const length = set.beginning(this.node, at - this.#start);
        if (length > 0) this.#replace(at, length);
      }
      this.#start = next;
      this.node = link;
    } while (this.node !== 0 && this.#start < this.#given);
  }

  #replace(at: number, length: number): void {
    this.#give(at);
    this.#out.push(shown);
    this.#given = at + length;
  }

  /** All up to there that is not given out yet is plain. */
  #give(end: number): void {
    const held = this.#held.length;
    if (this.#given < 0) this.#add(this.#held.subarray(held + this.#given, held + Math.min(end, 0)));
    if (end > 0) this.#add(this.#data.subarray(Math.max(this.#given, 0), end));
    this.#given = Math.max(this.#given, end);
  }

  #add(bytes: Buffer): void {
    if (bytes.length > 0) this.#out.push(bytes);
  }
}
