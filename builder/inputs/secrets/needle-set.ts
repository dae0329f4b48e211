/**
 * Texts to be found, as a trie with a link from each node to the longest proper suffix of its text that is one (Aho and
 * Corasick). Node 0 is the root.
 *
 * A search follows the trie. At a byte that leads no further it goes on at the link: what lies before that is decided then.
 * Which texts begin there follows from the node alone: where it began, the longest text on the way to the node; after
 * that, what begins inside of the text that the node belongs to, which is computed beforehand. So each byte is looked at
 * once, whatever the texts and the data are, and nothing of the data has to be kept but the node.
 */
export class NeedleSet {
  /** Bytes of the node's text. */
  readonly depth: Int32Array;
  readonly link: Int32Array;
  /** Length of the longest text that the node's own begins with; 0: of none. */
  readonly longest: Int32Array;
  /** Whether the node leads on: a longer text may be coming. */
  readonly firstChild: Int32Array;
  readonly #nextSibling: Int32Array;
  readonly #byte: Uint8Array;
  readonly #rootChild = new Int32Array(256);
  /** All texts behind one another. */
  readonly #bytes: Buffer;
  /** Where in #bytes a text begins that leads through the node. */
  readonly #origin: Int32Array;
  /** Length of the longest text that begins at this byte of #bytes and is whole inside of its text. */
  readonly #inside: Int32Array;
  #size = 1;

  /** `needles`: none of them empty. */
  constructor(needles: readonly Buffer[]) {
    const sorted = needles.toSorted((a, b) => b.length - a.length);
    this.#bytes = Buffer.concat(sorted);
    const most = this.#bytes.length + 1;
    this.depth = new Int32Array(most);
    this.link = new Int32Array(most);
    this.longest = new Int32Array(most);
    this.firstChild = new Int32Array(most);
    this.#nextSibling = new Int32Array(most);
    this.#byte = new Uint8Array(most);
    this.#origin = new Int32Array(most);
    this.#inside = new Int32Array(most);
    const starts: number[] = [];
    let start = 0;
    for (const needle of sorted) {
      starts.push(start);
      this.#insert(start, needle.length);
      start += needle.length;
    }
    this.#connect(
      starts,
      sorted.map(({ length }) => length),
    );
  }

  get isEmpty(): boolean {
    return this.#size === 1;
  }

  /** 0: the byte leads no further. */
  child(node: number, byte: number): number {
    if (node === 0) return this.#rootChild[byte] ?? 0;
    let child = this.firstChild[node] ?? 0;
    while (child !== 0 && this.#byte[child] !== byte) child = this.#nextSibling[child] ?? 0;
    return child;
  }

  /** The first bytes of the node's text. */
  prefix(node: number): Buffer {
    const origin = this.#origin[node] ?? 0;
    return this.#bytes.subarray(origin, origin + (this.depth[node] ?? 0));
  }

  /** Length of the longest text that begins at the offset of the node's text, which a link has led past; 0: none does. */
  beginning(node: number, offset: number): number {
    if (offset === 0) return this.longest[node] ?? 0;
    return this.#inside[(this.#origin[node] ?? 0) + offset] ?? 0;
  }

  #insert(start: number, length: number): void {
    let node = 0;
    for (let at = start; at < start + length; at++) {
      const byte = this.#bytes[at] ?? 0;
      const known = this.child(node, byte);
      node = known === 0 ? this.#add(node, byte, start) : known;
    }
    // The text ends here.
    this.longest[node] = length;
  }

  #add(parent: number, byte: number, origin: number): number {
    const node = this.#size++;
    this.depth[node] = (this.depth[parent] ?? 0) + 1;
    this.#byte[node] = byte;
    this.#origin[node] = origin;
    this.#nextSibling[node] = this.firstChild[parent] ?? 0;
    this.firstChild[parent] = node;
    if (parent === 0) this.#rootChild[byte] = node;
    return node;
  }

  /**
   * Links and insides of all texts, side by side by depth: each needs only what is less deep. `suffix` of a text is the
   * node that a search from its second byte on has come to, which is where the link of its own node leads.
   */
  #connect(starts: readonly number[], lengths: readonly number[]): void {
    const nodes = new Int32Array(starts.length);
    const suffixes = new Int32Array(starts.length);
    for (let depth = 0, active = starts.length; active > 0; depth++) {
      while (active > 0 && (lengths[active - 1] ?? 0) <= depth) active--;
      for (let text = 0; text < active; text++) {
        const start = starts[text] ?? 0;
        const byte = this.#bytes[start + depth] ?? 0;
        const parent = nodes[text] ?? 0;
        const node = this.child(parent, byte);
        nodes[text] = node;
        if (this.longest[node] === 0) this.longest[node] = this.longest[parent] ?? 0;
        const suffix = depth === 0 ? 0 : this.#advance(suffixes[text] ?? 0, byte, start + depth);
        suffixes[text] = suffix;
        this.link[node] = suffix;
      }
    }
  }

  /** The node after one more byte of a text, which stands at `at`; what the links lead past is decided. */
  #advance(from: number, byte: number, at: number): number {
    let node = from;
    for (;;) {
      const child = this.child(node, byte);
      if (child !== 0 || node === 0) return child;
      const link = this.link[node] ?? 0;
      const depth = this.depth[node] ?? 0;
      const passed = depth - (this.depth[link] ?? 0);
      for (let offset = 0; offset < passed; offset++) this.#inside[at - depth + offset] = this.beginning(node, offset);
      node = link;
    }
  }
}
