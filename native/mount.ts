/** The currency between store and runtime. Options in the words of mount(8). */
export interface Mount {
  readonly type: string;
  readonly source: string;
  /** Absolute inside the container; "" or "/" for the root. */
  readonly target: string;
  readonly options: readonly string[];
  /** Of an overlay: topmost first. With `upper` it is writable. Passed by lowerdir+, so hundreds fit. */
  readonly overlay?: OverlayLayers;
}

/** Directories of an overlayfs stack. */
export interface OverlayLayers {
  readonly lower: readonly string[];
  readonly upper?: string;
  readonly work?: string;
}
