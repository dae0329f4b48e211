// A registry with one package, for those who have the token. Prints its address; it ends with its standard input.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

const directory = mkdtempSync(join(tmpdir(), "npm-secret-"));
mkdirSync(join(directory, "package"));
const manifest = { name: "@corp/private", version: "1.0.0", main: "index.js" };
writeFileSync(join(directory, "package/package.json"), JSON.stringify(manifest));
writeFileSync(join(directory, "package/index.js"), 'module.exports = "private 1.0.0";\n');
const options = ["--mtime=@1700000000", "--owner=0", "--group=0", "--sort=name"];
execFileSync("tar", [...options, "-C", directory, "-czf", join(directory, "package.tgz"), "package"]);
const bytes = readFileSync(join(directory, "package.tgz"));
rmSync(directory, { recursive: true });

const server = createServer((request, response) => {
  if (request.headers.authorization !== "Bearer corpus-token-4711") return void response.writeHead(401).end();
  if (request.url === "/package.tgz") return void response.end(bytes);
  if (decodeURIComponent(request.url ?? "") !== "/@corp/private") return void response.writeHead(404).end();
  const tarball = `http://${request.headers.host}/package.tgz`;
  const integrity = `sha512-${createHash("sha512").update(bytes).digest("base64")}`;
  const version = { ...manifest, dist: { tarball, integrity } };
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify({ name: manifest.name, "dist-tags": { latest: "1.0.0" }, versions: { "1.0.0": version } }));
});
server.listen(0, "127.0.0.1", () => console.log(`127.0.0.1:${server.address().port}`));
process.stdin.resume().on("end", () => process.exit());
