import { describe, expect, it } from "vitest";
import { parseDeviceFlag } from "../../../builder/dockerfile/device-flag.ts";

describe("parseDeviceFlag()", () => {
  it.each([
    ["v.com/x=a", { name: "v.com/x=a", required: false }],
    ["v.com/x", { name: "v.com/x", required: false }],
    ["v.com/x=*,required", { name: "v.com/x=*", required: true }],
    ["required,v.com/x=a", { name: "v.com/x=a", required: true }],
    ["name=v.com/x=a,Required=TRUE", { name: "v.com/x=a", required: true }],
    ["v.com/x=a,required=0", { name: "v.com/x=a", required: false }],
    ['"v.com/x=a"', { name: "v.com/x=a", required: false }],
    ["$X", { name: "$X", required: false }],
  ])("reads %s", (text, flag) => {
    expect(parseDeviceFlag(text)).toEqual(flag);
  });

  it.each([
    ["required", "no name"],
    ["", "no name"],
    ["v.com/x=a,required=yes", "true or false"],
    ["v.com/x=a,name=b", "two names"],
    ["v.com/x=a,requierd=1", '"requierd=1" is not known'],
    ["v.com/x=a,other", '"other" is not known'],
    ['"v.com/x=a', "quote"],
  ])("refuses %j", (text, message) => {
    expect(() => parseDeviceFlag(text)).toThrow(message);
  });
});
