import type { SettleStep } from "./settle.ts";

/** A directory of a tree that entries of an archive came to. */
export class Place {
  readonly name: string;
  /** undefined: the root. */
  readonly above: Place | undefined;
  /** The modification time (ns) that it gets in the end: what is put into it changes it before. */
  time: bigint | undefined;
  /** No entry is about it, and it took no other entry's place. */
  implied = false;
  #below: Map<string, Place> | undefined;
  #hidden: Set<string> | undefined;

  constructor(name: string = "", above?: Place) {
    this.name = name;
    this.above = above;
  }

  /** The directory of that name in it. */
  enter(name: string): Place {
    this.#below ??= new Map();
    const known = this.#below.get(name);
    if (known !== undefined) return known;
    const place = new Place(name, this);
    this.#below.set(name, place);
    return place;
  }

  /** Tells that what the layers below have under that name is gone. */
  hide(name: string): void {
    (this.#hidden ??= new Set()).add(name);
  }

  /** Tells that nothing is under that name any more. */
  forget(name: string): void {
    this.#below?.delete(name);
    this.#hidden?.delete(name);
  }

  /** What only the layers below can tell of it and of what is in it, parents first. */
  unsettled(): readonly SettleStep[] {
    const steps: SettleStep[] = [];
    for (const { place, depth } of this.walk()) {
      if (depth > 0) steps.push({ depth, name: place.name, what: place.implied ? "implied" : "known" });
      for (const name of place.#hidden ?? []) steps.push({ depth: depth + 1, name, what: "whiteout" });
    }
    return needed(steps);
  }

  /** It and all places below it, parents first. */
  *walk(): Generator<{ readonly place: Place; readonly depth: number }> {
    const rest: { readonly place: Place; readonly depth: number }[] = [{ place: this, depth: 0 }];
    for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
      yield next;
      for (const place of next.place.#below?.values() ?? []) rest.push({ place, depth: next.depth + 1 });
    }
  }
}

/** Only the steps that have something to settle, and those on the way to them. */
function needed(steps: readonly SettleStep[]): readonly SettleStep[] {
  const kept: SettleStep[] = [];
  let depth = 0;
  for (const step of steps.toReversed()) {
    if (step.what === "known" && step.depth >= depth) continue;
    kept.push(step);
    depth = step.depth;
  }
  return kept.toReversed();
}
