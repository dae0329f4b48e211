/** One instruction of a classic BPF program. @see linux/filter.h */
interface BpfInstruction {
  readonly code: number;
  readonly jt: number;
  readonly jf: number;
  readonly k: number;
}

/** Comparisons of the accumulator with a constant, unsigned. */
export const bpfJumps = { eq: 0x15, gt: 0x25, ge: 0x35 } as const;
const LOAD = 0x20;
const AND = 0x54;
const JUMP = 0x05;
const RETURN = 0x06;
/** A conditional jump's offset is one byte; the rest is for the jumps that are put between. */
const reach = 250;

/** A place in a program that is being made. */
export type BpfLabel = number & { readonly brand: "BpfLabel" };

/**
 * Makes a program from its end to its beginning, so that every jump's target is there before the jump. The last thing
 * that was added is where the program starts. Equal returns near to each other are one.
 */
export class BpfAssembler {
  readonly #reversed: BpfInstruction[] = [];
  readonly #returns = new Map<number, BpfLabel>();

  /** Ends the program with this value. */
  ret(value: number): BpfLabel {
    const known = this.#returns.get(value);
    if (known !== undefined && this.#distance(known) < reach) return known;
    const label = this.#add({ code: RETURN, jt: 0, jf: 0, k: value });
    this.#returns.set(value, label);
    return label;
  }

  /** Loads 32 bits of struct seccomp_data, then goes on at `next`. */
  load(offset: number, next: BpfLabel): BpfLabel {
    return this.#before(next, { code: LOAD, jt: 0, jf: 0, k: offset });
  }

  and(mask: number, next: BpfLabel): BpfLabel {
    return this.#before(next, { code: AND, jt: 0, jf: 0, k: mask });
  }

  /** Goes on at `yes` where the comparison holds, else at `no`. */
  branch(code: number, k: number, yes: BpfLabel, no: BpfLabel): BpfLabel {
    const nearYes = this.#near(yes);
    const nearNo = this.#near(no);
    return this.#add({ code, jt: this.#distance(nearYes), jf: this.#distance(nearNo), k });
  }

  /** struct sock_filter[], little endian. */
  encode(): Uint8Array {
    const bytes = new Uint8Array(this.#reversed.length * 8);
    const view = new DataView(bytes.buffer);
    let at = bytes.length;
    for (const { code, jt, jf, k } of this.#reversed) {
      at -= 8;
      view.setUint16(at, code, true);
      view.setUint8(at + 2, jt);
      view.setUint8(at + 3, jf);
      view.setUint32(at + 4, k, true);
    }
    return bytes;
  }

  /** Instructions between the next one that is added and the label. */
  #distance(label: BpfLabel): number {
    return this.#reversed.length - label - 1;
  }

  #near(label: BpfLabel): BpfLabel {
    return this.#distance(label) < reach ? label : this.#jump(label);
  }

  #jump(label: BpfLabel): BpfLabel {
    return this.#add({ code: JUMP, jt: 0, jf: 0, k: this.#distance(label) });
  }

  #before(next: BpfLabel, instruction: BpfInstruction): BpfLabel {
    if (this.#distance(next) > 0) this.#jump(next);
    return this.#add(instruction);
  }

  #add(instruction: BpfInstruction): BpfLabel {
    const made: number = this.#reversed.push(instruction) - 1;
    return made as BpfLabel;
  }
}
