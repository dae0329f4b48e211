import type { History } from "../../store/oci/config.ts";

/** The history of a stage: its own lines, after those of what it stands on, which many stages may share. */
export class HistoryLines {
  readonly #above: HistoryLines | undefined;
  readonly #before: number;
  readonly #own: History[];

  private constructor(above: HistoryLines | undefined, own: readonly History[]) {
    this.#above = above;
    this.#before = above?.length ?? 0;
    this.#own = [...own];
  }

  static of(lines: readonly History[] = []): HistoryLines {
    return new HistoryLines(undefined, lines);
  }

  /** Over a stage that is complete. */
  static over(above: HistoryLines): HistoryLines {
    return new HistoryLines(above, []);
  }

  get length(): number {
    return this.#before + this.#own.length;
  }

  add(line: History): void {
    this.#own.push(line);
  }

  /** From the first one on. */
  all(): History[] {
    const parts = [this.#own];
    for (let at = this.#above; at !== undefined; at = at.#above) parts.push(at.#own);
    return parts.toReversed().flat();
  }
}
