// How much load: in every run as much as shows what grows, with `npm run load` all of it.

const ALL = {
  isAll: true,
  launches: 10_000,
  atOnce: 500,
  // A day of 100 kB a second.
  outputBytes: 8_640_000_000,
  calls: 50_000,
  groups: 100,
  secrets: 10_000,
  agents: 1_000,
};
const SAMPLE: typeof ALL = {
  isAll: false,
  launches: 100,
  atOnce: 60,
  outputBytes: 200_000_000,
  calls: 600,
  groups: 8,
  secrets: 200,
  agents: 40,
};

export const SIZE = process.env.LOAD === "all" ? ALL : SAMPLE;
