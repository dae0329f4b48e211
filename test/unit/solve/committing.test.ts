import { describe, expect, it } from "vitest";
import type { BuildEvent } from "../../../builder/graph/events.ts";
import { scratchVertex } from "../../../builder/graph/vertex.ts";
import { telling } from "../../../builder/solve/committing.ts";
import type { SolvedStep } from "../../../builder/solve/step.ts";

describe("telling()", () => {
  const { promise: identity, resolve: hashed } = Promise.withResolvers<undefined>();
  const vertex = { ...scratchVertex("a/1"), name: "[2/3] RUN x" };
  const step: SolvedStep = {
    vertex,
    key: vertex.digest,
    snapshot: undefined,
    identity,
    progress: () => ({ current: 3, total: 10 }),
    created: 0,
    cached: false,
  };

  it("says what of a layer is hashed while it is waited for", async () => {
    const events: BuildEvent[] = [];
    const emit = (event: BuildEvent): void => {
      events.push(event);
      if (event.kind === "status") hashed(undefined);
    };
    await telling([step], emit, identity);
    expect(events.map(({ kind }) => kind)).toEqual(["vertex", "started", "status", "status", "completed"]);
    expect(events[0]).toMatchObject({ vertex: { name: "committing layers", inputs: [vertex.digest] } });
    expect(events[2]).toMatchObject({ id: "layer of [2/3] RUN x", current: 3, total: 10 });
    expect(events[2]).not.toHaveProperty("completed");
    expect(events[3]).toMatchObject({ current: 10, total: 10, completed: expect.any(Number) });
  });

  it("says nothing of what is there at once, and gives on what went wrong", async () => {
    const events: BuildEvent[] = [];
    await telling([step], (event) => events.push(event), Promise.resolve());
    await telling([], (event) => events.push(event), Promise.resolve());
    await expect(telling([step], () => undefined, Promise.reject(new Error("full")))).rejects.toThrow("full");
    expect(events).toEqual([]);
  });
});
