import { PathPatterns, type ParentMatches } from "../../base/patterns/path-patterns.ts";

/** What a directory's matches mean for its entries. */
export interface FilterState {
  readonly include: ParentMatches | undefined;
  readonly exclude: ParentMatches | undefined;
}

/** Whether an entry is copied, and whether something below it may be. */
export interface FilterResult {
  readonly included: boolean;
  readonly prune: boolean;
  readonly below: FilterState;
}

const top: FilterState = { include: undefined, exclude: undefined };
const all: FilterResult = { included: true, prune: false, below: top };

/**
 * Chooses among what is below a source: `include` is the pattern of `--parents`, `exclude` those of `--exclude`; both
 * are relative to the source, whose own name is never looked at. @see fsutil copy
 */
export class CopyFilter {
  readonly #include: PathPatterns | undefined;
  readonly #exclude: PathPatterns | undefined;

  /** @throws E_PATTERN_INVALID */
  constructor(include: string | undefined, exclude: readonly string[]) {
    this.#include = include === undefined ? undefined : new PathPatterns([include]);
    this.#exclude = exclude.length === 0 ? undefined : new PathPatterns(exclude);
  }

  /** `relative`: the entry's path from the source. `state`: of its directory, undefined directly below the source. */
  look(relative: string, state: FilterState = top): FilterResult {
    if (this.#include === undefined && this.#exclude === undefined) return all;
    const include = this.#include?.match(relative, state.include);
    const exclude = this.#exclude?.match(relative, state.exclude);
    const wanted = include?.matched ?? true;
    const excluded = exclude?.matched ?? false;
    return {
      included: wanted && !excluded,
      prune:
        (excluded && this.#exclude?.hasNegated === false) ||
        (!wanted && this.#include?.mayMatchBelow(relative) === false),
      below: { include: include?.below, exclude: exclude?.below },
    };
  }
}

/** Takes everything. */
export const noFilter: CopyFilter = new CopyFilter(undefined, []);
