import { expect, test } from "vitest";
import type { BuildEvent } from "../../../builder/graph/events.ts";
import { canceled, VertexEvents } from "../../../builder/graph/vertex-events.ts";
import { digestOf } from "../../../store/oci/digest.ts";

const vertex = { digest: digestOf("a step"), name: "a step", inputs: [] };

function recorded(): { readonly told: BuildEvent[]; readonly events: VertexEvents } {
  const told: BuildEvent[] = [];
  return { told, events: new VertexEvents((event) => void told.push(event), vertex) };
}

const shape = (events: readonly BuildEvent[]): readonly unknown[] => events.map(({ time: _time, ...rest }) => rest);

test("work is announced, begun and ended once, with times in order", async () => {
  const { told, events } = recorded();
  await expect(events.around(() => Promise.resolve(7))).resolves.toBe(7);
  expect(shape(told)).toEqual([
    { kind: "vertex", vertex },
    { kind: "started", digest: vertex.digest },
    { kind: "completed", digest: vertex.digest, cached: false },
  ]);
  const times = told.map(({ time }) => time);
  expect(times).toEqual(times.toSorted((a, b) => a - b));
});

test("work that brings nothing new ends as cached", async () => {
  const { told, events } = recorded();
  await events.around(
    () => Promise.resolve("same"),
    (result) => result === "same",
  );
  expect(shape(told.slice(-1))).toEqual([{ kind: "completed", digest: vertex.digest, cached: true }]);
});

test("work that fails ends with its message, and throws what it threw", async () => {
  const { told, events } = recorded();
  const failure = new Error("no such file");
  await expect(events.around(() => Promise.reject(failure))).rejects.toBe(failure);
  expect(shape(told.slice(-1))).toEqual([
    { kind: "completed", digest: vertex.digest, cached: false, error: "no such file" },
  ]);
});

test("a time that is given is that of the event, and what is cached or canceled never began", () => {
  const { told, events } = recorded();
  events.announce(1.5);
  events.started(2.5);
  events.cached();
  events.failed(canceled);
  expect(told.slice(0, 2).map(({ time }) => time)).toEqual([1.5, 2.5]);
  expect(shape(told.slice(2))).toEqual([
    { kind: "completed", digest: vertex.digest, cached: true },
    { kind: "completed", digest: vertex.digest, cached: false, error: "canceled" },
  ]);
});
