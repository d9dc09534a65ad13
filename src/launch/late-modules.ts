// Modules of node's own that an import would load at once, for some milliseconds: a launch that hands over needs none of
// them.

export function childProcess(): typeof import("node:child_process") {
  return process.getBuiltinModule("node:child_process");
}

export function stream(): typeof import("node:stream") {
  return process.getBuiltinModule("node:stream");
}

export function net(): typeof import("node:net") {
  return process.getBuiltinModule("node:net");
}
