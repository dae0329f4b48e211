import { hash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { build, type BuildOptions, type Plugin } from "esbuild";

/**
 * Makes what is published, in dist/: the command as one CommonJS file behind a small one that keeps its compiled code
 * (half of the CPU of modules linked one by one), and the library's four entries as modules.
 */
const common: BuildOptions = {
  bundle: true,
  minifySyntax: true,
  platform: "node",
  target: "node24",
  supported: { using: true },
  packages: "external",
  logLevel: "warning",
};

/** Costs of a start that most commands need not pay: each is loaded when something of it is first used. */
const lazy = ["node:child_process", "node:fs/promises", "node:zlib", "@isaacs/ttlcache", "ssri", "tar-stream"];

const load = createRequire(import.meta.url);
const getter = (path: string, name: string): string =>
  `get ${name}() { return require(${JSON.stringify(path)}).${name}; }`;

const lazyExternals: Plugin = {
  name: "lazy-externals",
  setup({ onResolve, onLoad }) {
    const filter = new RegExp(`^(${lazy.join("|")})$`);
    onResolve({ filter }, ({ path, namespace }) =>
      namespace === "lazy" ? { path, external: true } : { path, namespace: "lazy" },
    );
    onLoad({ filter, namespace: "lazy" }, ({ path }) => {
      const names = Object.keys(load(path));
      return { contents: `module.exports = { ${names.map((name) => getter(path, name)).join(", ")} };` };
    });
  },
};

const commonJS: BuildOptions = {
  ...common,
  format: "cjs",
  supported: { ...common.supported, "dynamic-import": false },
  // createRequire() takes a path as well.
  define: { "import.meta.url": "__filename", "import.meta.dirname": "__dirname" },
};

const entries = ["builder", "store", "registry", "runtime"];

rmSync("dist", { recursive: true, force: true });
const [library] = await Promise.all([
  build({
    ...common,
    entryPoints: entries.map((name) => ({ in: `${name}/index.ts`, out: `${name}/main` })),
    format: "esm",
    splitting: true,
    metafile: true,
    outdir: "dist/lib",
    chunkNames: "chunks/[name]-[hash]",
  }),
  build({
    ...commonJS,
    entryPoints: ["builder/cli/start/entry.ts"],
    plugins: [lazyExternals],
    minifyWhitespace: true,
    outfile: "dist/cli/tsbuild.cjs",
  }),
  build({
    ...commonJS,
    entryPoints: ["builder/solve/worker/main.ts"],
    plugins: [lazyExternals],
    outfile: "dist/cli/worker.cjs",
  }),
]);

// What a program loads: an older Node could not even read the modules, and would say so of their first new word.
const { engines } = JSON.parse(readFileSync("package.json", "utf8")) as { readonly engines: { readonly node: string } };
const [, major = "", minor = ""] = /^>=(\d+)\.(\d+)$/.exec(engines.node) ?? [];
for (const name of entries) {
  const names = library.metafile.outputs[`dist/lib/${name}/main.js`]?.exports ?? [];
  writeFileSync(
    `dist/lib/${name}/index.js`,
    `import { createRequire } from "node:module";

const [major, minor] = process.versions.node.split(".").map(Number);
if (major < ${major} || (major === ${major} && minor < ${minor})) {
  const hint = "npx node FILE runs the one that npm installed with it, or install Node ${major}";
  const message = \`tsbuild needs Node ${major}.${minor} or newer, this is \${process.versions.node}: \${hint}\`;
  throw Object.assign(new Error(message), { name: "TsbuildError", code: "E_NODE_TOO_OLD", hint });
}
export const { ${names.join(", ")} } = createRequire(import.meta.url)("./main.js");
`,
  );
}

const { table } = await import("./builder/cli/commands/table.ts");
const { commands, groups } = table;
await build({
  ...commonJS,
  entryPoints: ["builder/cli/start/bundle-main.ts"],
  define: {
    ...commonJS.define,
    BUNDLE_DIGEST: JSON.stringify(hash("sha256", readFileSync("dist/cli/tsbuild.cjs")).slice(0, 16)),
    COMMAND_WORDS: JSON.stringify([
      ...commands.flatMap(({ name, aliases = [] }) => [name, ...aliases]),
      ...groups.keys(),
    ]),
  },
  outfile: "dist/cli/main.cjs",
});

// The pages of the manual, which npm installs with the command.
const { manPages } = await import("./builder/cli/help/man.ts");
const { packageVersion } = await import("./builder/cli/host/package-version.ts");
mkdirSync("dist/man");
for (const { file, text } of manPages(table.all, packageVersion())) writeFileSync(`dist/man/${file}`, text);
