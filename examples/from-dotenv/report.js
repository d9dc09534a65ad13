// A nightly job. With .env it had every secret of the project; it needs one.
const { DATABASE_URL, STRIPE_KEY } = process.env;
if (DATABASE_URL === undefined) throw new Error("DATABASE_URL is missing");
console.log(
  `report: database at ${new URL(DATABASE_URL).hostname}, sees STRIPE_KEY: ${STRIPE_KEY !== undefined}`,
);
