export { TsbuildError } from "../native/errors.ts";
export { loadArchive, type LoadedImage } from "./image/archive-read.ts";
export { imageHistory, inspectImage, type HistoryLine, type InspectedImage } from "./image/inspect.ts";
export { listImages, type ListedImage } from "./image/list.ts";
export { removeImage, tagImage, type Removal } from "./image/names.ts";
export { saveImages } from "./image/transfer.ts";
export { openStore } from "./open.ts";
export type { CacheRecord, Collected, CollectOptions, ImageRef, RefStore, StepCache, Store } from "./store.ts";
