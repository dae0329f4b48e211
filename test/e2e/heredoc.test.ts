import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { fromBusybox, Project, type Outcome } from "../rig/project.ts";

interface Built {
  readonly outcome: Outcome;
  readonly read: (path: string) => string;
  readonly mode: (path: string) => string;
  readonly owner: (path: string) => string;
}

async function buildOut(project: Project): Promise<Built> {
  const dest = join(project.store, "..", "out");
  const outcome = await project.build({ outputs: [{ type: "local", dest }] });
  const stat = (path: string): ReturnType<typeof statSync> => statSync(join(dest, path));
  return {
    outcome,
    read: (path) => readFileSync(join(dest, path), "utf8"),
    mode: (path) => (Number(stat(path)?.mode) & 0o7777).toString(8),
    owner: (path) => `${stat(path)?.uid}:${stat(path)?.gid}`,
  };
}

/** `created_by` of the lines of history that the Dockerfile added. */
async function history(project: Project): Promise<readonly string[]> {
  const dest = join(project.store, "..", "layout");
  await project.build({ outputs: [{ type: "oci", dest, tar: false }] });
  const blob = (digest: string): string => readFileSync(join(dest, "blobs", digest.replace(":", "/")), "utf8");
  const index: { manifests: readonly { digest: string }[] } = JSON.parse(
    readFileSync(join(dest, "index.json"), "utf8"),
  );
  const manifest: { config: { digest: string } } = JSON.parse(blob(index.manifests[0]?.digest ?? ""));
  const config: { history: readonly { created_by: string }[] } = JSON.parse(blob(manifest.config.digest));
  return config.history.slice(1).map((line) => line.created_by);
}

describe("RUN with heredocs", () => {
  it("runs a body alone in the shell, `#!` bodies by their interpreter, and reassembles the rest", async () => {
    using project = new Project({
      Dockerfile: `${fromBusybox}WORKDIR /d
ARG name=world
RUN <<EOF
greeting="Hello"
echo "\${greeting} \${name}!" > basic
EOF
RUN <<-EOF
	echo "
		x" > chomped
	EOF
RUN << EOF
echo apart > apart
EOF
RUN <<'EOF'
#!/bin/sed -f
w /d/sed
EOF
RUN <<-EOF
	#!/bin/sh
	echo "$0" > shebang
	EOF
RUN cat <<EOF1 | sed s/a/A/ > out1; \\
  cat <<EOF2 | sed s/b/B/ > out2
abc
EOF1
abc
EOF2
RUN <<EOF 3<<IN1 4<<'IN2' sh -
cat <&3 > fd3
cat <&4 > fd4
EOF
three $name
IN1
four $name
IN2
RUN test ! -e /dev/pipes/EOF && test -f sed
`,
    });
    const { outcome, read } = await buildOut(project);
    expect(outcome.error).toBeUndefined();
    const files = ["basic", "chomped", "apart", "shebang", "out1", "out2", "fd3", "fd4"];
    expect(Object.fromEntries(files.map((name) => [name, read(`d/${name}`)]))).toEqual({
      basic: "Hello world!\n",
      chomped: "\nx\n",
      apart: "apart\n",
      shebang: "/dev/pipes/EOF\n",
      out1: "Abc\n",
      out2: "aBc\n",
      fd3: "three world\n",
      fd4: "four $name\n",
    });
    const lines = await history(project);
    expect(lines[2]).toBe(
      'RUN |1 name=world /bin/sh -c greeting="Hello"\necho "${greeting} ${name}!" > basic\n # buildkit',
    );
    expect(lines[6]).toBe("RUN |1 name=world /bin/sh -c /dev/pipes/EOF # buildkit");
    expect(lines[7]).toMatch(/ out1; {3}cat <<EOF2 .* > out2\nabc\nEOF1\nabc\nEOF2 # buildkit$/);
    expect(
      outcome.events.some(
        (event) => event.kind === "vertex" && event.vertex.name.endsWith('RUN <<EOF (greeting="Hello"...)'),
      ),
    ).toBe(true);
  });

  it("runs a script as any user, keeps it out of the layer, and runs it again when it changes", async () => {
    const file = (text: string): string =>
      `${fromBusybox}USER app\nRUN <<EOF\n#!/bin/sh\nid -u > /tmp/who\necho ${text}\nEOF\n`;
    using project = new Project({ Dockerfile: file("one") });
    const { outcome, read } = await buildOut(project);
    expect(outcome.error).toBeUndefined();
    expect(read("tmp/who")).toBe("1000\n");
    expect(() => read("dev/pipes/EOF")).toThrow("ENOENT");
    expect((await project.build()).result?.steps).toMatchObject({ cached: 2 });
    project.write("Dockerfile", file("two"));
    expect((await project.build()).log).toContain("two");
  });
});

describe("COPY and ADD of heredocs", () => {
  it("makes files of root's, 0644, with variables expanded unless the word is quoted", async () => {
    using project = new Project({
      Dockerfile: `FROM scratch
ARG name=world
COPY <<EOF /single
Hello '\${name}' "$name" \${none:-"q"} \\$name \\\\ \\x
EOF
COPY <<"EOF" /raw
$name \\
EOF
COPY <<-ONE <<TWO /double/
	one
		two
	ONE
	three
TWO
COPY file <<EOF /mixed/
inline
EOF
COPY --chmod=600 --chown=3:4 <<EOF /owned/
x
EOF
ADD <<EOF /owned
added
EOF
COPY --link <<EOF /linked/file
linked
EOF
COPY <<crlf /crlf\r
line\r
crlf\r
`,
      file: "of the context",
    });
    const { outcome, read, mode, owner } = await buildOut(project);
    expect(outcome.error).toBeUndefined();
    expect(read("single")).toBe(`Hello 'world' "world" "q" $name \\ x\n`);
    expect([mode("single"), owner("single")]).toEqual(["644", "0:0"]);
    expect(read("raw")).toBe("$name \\\n");
    expect([read("double/ONE"), read("double/TWO")]).toEqual(["one\ntwo\n", "\tthree\n"]);
    expect([read("mixed/file"), read("mixed/EOF")]).toEqual(["of the context", "inline\n"]);
    expect([read("owned/EOF"), mode("owned/EOF"), owner("owned/EOF")]).toEqual(["added\n", "644", "0:0"]);
    expect([read("linked/file"), read("crlf")]).toEqual(["linked\n", "line\r\n"]);
    const lines = await history(project);
    expect(lines.slice(0, 5)).toEqual([
      "COPY <<EOF /single # buildkit",
      "COPY <<EOF /raw # buildkit",
      "COPY <<ONE <<TWO /double/ # buildkit",
      "COPY file <<EOF /mixed/ # buildkit",
      "COPY --chown=3:4 --chmod=600 <<EOF /owned/ # buildkit",
    ]);
  });

  it("is cached by its content and explains a change of it", async () => {
    const file = (text: string): string => `FROM scratch\nCOPY <<EOF /f\n${text}\nEOF\n`;
    using project = new Project({ Dockerfile: file("one") });
    const first = await project.build();
    const again = await project.build();
    expect(again.result?.steps).toEqual({ ...again.result?.steps, cached: again.result?.steps.total });
    expect(again.result?.imageID).toEqual(first.result?.imageID);
    project.write("Dockerfile", file("two"));
    const changed = await project.build();
    const reasons = changed.events.flatMap((event) => (event.kind === "miss" ? event.reasons : []));
    expect(reasons.join("\n")).toContain("heredoc EOF");
  });

  it.each([
    ["COPY <<A <<B /f\na\nA\nb\nB\n", "E_COPY_DEST"],
    ["COPY <<EOF /f\n${x:?gone}\nEOF\n", "E_EXPAND"],
    ["COPY <<EOF /f\n${\nEOF\n", "E_EXPAND"],
    ["COPY file /dir/\nCOPY <<EOF /dir/file/x\n\nEOF\n", "E_COPY_TARGET"],
    ["RUN <<a/b\n#!/bin/sh\na/b\n", "E_HEREDOC"],
  ])("refuses %j", async (text, code) => {
    using project = new Project({ Dockerfile: `FROM scratch\n${text}`, file: "" });
    expect((await project.build()).error).toMatchObject({ code });
  });
});

describe("ONBUILD with heredocs", () => {
  it("keeps the bodies in the trigger and runs them in the stage that follows", async () => {
    using project = new Project({
      Dockerfile: `${fromBusybox.replace("FROM scratch", "FROM scratch AS base")}ONBUILD RUN <<-EOF
	echo "from  the trigger" > /trigger
	EOF
ONBUILD COPY <<EOF /copied
\${HOME:-unset}
EOF
FROM base
RUN cat /trigger /copied > /both
`,
    });
    const { outcome, read } = await buildOut(project);
    expect(outcome.error).toBeUndefined();
    expect(read("both")).toBe("from  the trigger\nunset\n");
  });
});
