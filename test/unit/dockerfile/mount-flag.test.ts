import { describe, expect, it } from "vitest";
import { csvFields } from "../../../builder/base/csv.ts";
import { mountFrom, MountFlagError, parseMountFlag, type MountFlag } from "../../../builder/dockerfile/mount-flag.ts";

const nothing: MountFlag = {
  type: "bind",
  from: undefined,
  source: undefined,
  target: undefined,
  readonly: true,
  id: undefined,
  env: undefined,
  sharing: undefined,
  required: false,
  size: undefined,
  mode: undefined,
  uid: undefined,
  gid: undefined,
};

function parse(text: string): MountFlag {
  return parseMountFlag(text, (value) => value.replaceAll("$V", "value"));
}

describe("csvFields()", () => {
  it.each<[string, readonly string[]]>([
    ["a=b,c", ["a=b", "c"]],
    ["", [""]],
    ["a,", ["a", ""]],
    ['"a,b",c', ["a,b", "c"]],
    ['"a""b"', ['a"b']],
    ['"a",""', ["a", ""]],
    [" a , b", [" a ", " b"]],
  ])("reads %s as Go does", (text, fields) => {
    expect(csvFields(text)).toEqual(fields);
  });

  it.each(['a"b', '"a', '"a"b,c', 'a,b"'])("refuses %s", (text) => {
    expect(csvFields(text)).toBeTypeOf("string");
  });
});

describe("parseMountFlag()", () => {
  it.each<[string, Partial<MountFlag>]>([
    ["target=/a", { target: "/a" }],
    ["type=bind,src=a,dst=b,from=c", { source: "a", target: "b", from: "c" }],
    ["TYPE=Bind,Destination=/A,RW", { target: "/A", readonly: false }],
    ["target=a,rw=false", { target: "a", readonly: true }],
    ["target=a,ro=0", { target: "a", readonly: false }],
    ["target=a,rw,ro", { target: "a", readonly: true }],
    ["target=a,readonly,readwrite", { target: "a", readonly: false }],
    ["target=/$V", { target: "/value" }],
    ["type=cache,target=/c", { type: "cache", target: "/c", readonly: false }],
    [
      "type=cache,target=/c,id=i,sharing=LOCKED,mode=0700,uid=1,gid=2,ro",
      { type: "cache", target: "/c", id: "i", sharing: "locked", mode: 0o700, uid: 1, gid: 2 },
    ],
    ["type=tmpfs,target=/t,size=1.5m", { type: "tmpfs", target: "/t", size: 1_572_864, readonly: false }],
    ["type=secret,id=s,required", { type: "secret", id: "s", required: true }],
    ["required=true,id=s,type=secret", { type: "secret", id: "s", required: true }],
    ["type=secret,id=s,env=S,target=/s", { type: "secret", id: "s", env: "S", target: "/s" }],
    ["type=ssh", { type: "ssh" }],
    ['type=bind,"target=/a,b"', { target: "/a,b" }],
  ])("reads %s", (text, expected) => {
    expect(parse(text)).toEqual({ ...nothing, ...expected });
  });

  it.each([
    ["target", "needs a value", "target"],
    ["targt=/a", 'unknown key "targt"', "targt=/a", "did you mean target?"],
    ["type=bnd", 'type cannot be "bnd"', "type=bnd", "did you mean bind?"],
    ["type=cache,target=/c,sharing=lockd", "sharing cannot be", "sharing=lockd", "did you mean locked?"],
    ["target=/a,ro=perhaps", "readonly is true or false", "ro=perhaps"],
    ["target=/a,required", "a mount of type bind has no required", "required"],
    ["target=/a,mode=0755", "a mount of type bind has no mode", "mode=0755"],
    ["target=/a,size=1m", "a mount of type bind has no size", "size=1m"],
    ["target=/a,sharing=shared", "has no sharing", "sharing=shared"],
    ["type=tmpfs,target=/a,uid=1", "has no uid", "uid=1"],
    ["type=tmpfs,target=/a,size=big", "size cannot be", "size=big"],
    ["type=secret", "it has no id", "type=secret"],
    ["type=secret,id=a,src=b", "id and source are the same", ""],
    ["type=secret,id=a,from=b", "has no from", "from=b"],
    ["type=secret,id=a,env", "env needs a value", "env"],
    ["type=secret,id=a,mode=999", "mode cannot be", "mode=999"],
    ["type=secret,id=a,mode=17777", "mode cannot be", "mode=17777"],
    ["type=cache,target=/c,uid=4294967295", "uid cannot be", "uid=4294967295"],
    ["type=cache,target=/c,uid=-1", "uid cannot be", "uid=-1"],
    ["type=ssh,source=x", "has no source", "source=x"],
    ["target=/a,", 'unknown key ""', ""],
    ['target="/a"', "a quote stands within", ""],
  ])("refuses %s: %s", (text, message, field, hint = "") => {
    const refused = (): unknown => {
      try {
        return parse(text);
      } catch (error) {
        return error;
      }
    };
    const error = refused();
    if (!(error instanceof MountFlagError)) throw new Error(`not refused: ${JSON.stringify(error)}`);
    expect(error.message).toContain(message);
    expect(error.hint ?? "").toContain(hint);
    if (field !== "") expect(error.field).toBe(field);
  });
});

describe("mountFrom()", () => {
  it.each([
    ["from=a,target=/b", "a"],
    ["FROM=A", "A"],
    ["target=/from=b", undefined],
    ["from=,target=/b", undefined],
    ['"from=a', undefined],
  ])("of %s is %s", (text, from) => {
    expect(mountFrom(text)).toBe(from);
  });
});
