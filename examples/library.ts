// Builds a directory, runs the image, sends it to a registry and takes it back:
//   node examples/library.ts STORE DIRECTORY REGISTRY/NAME
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { build, causeText, prune, pull, push, run, why } from "../builder/index.ts";

const [root = "", context = ".", image = ""] = process.argv.slice(2);
const print = (line: string): void => void process.stdout.write(`${line}\n`);

await using building = build({ root, context, tags: [image] });
for await (const event of building) {
  if (event.kind === "vertex") print(event.vertex.name);
  if (event.kind === "log") process.stderr.write(event.data);
}
const { imageID } = await building.result;
print(`built ${imageID}`);

const stdout = new PassThrough();
const [said, { exitCode }] = await Promise.all([
  text(stdout),
  run({ root, image, stdout }).finally(() => stdout.end()),
]);
print(`it ended with ${exitCode} and said ${JSON.stringify(said)}`);

const { digest } = await push({ root, image });
const pulled = await pull({ root, image });
print(`pushed ${digest}, pulled ${pulled.digest}`);

const { build: last, misses } = await why({ root, directory: context });
for (const { root: step } of misses) print(`${step.name} ran: ${step.causes.map(causeText).join(", ")}`);
const { bytes } = await prune({ root, cache: "all" });
print(`${last.steps.length} steps are remembered, ${bytes} bytes are free again`);
