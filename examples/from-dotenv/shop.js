// The project's program. It reads its secrets from variables, as before, and logs more than it should, as before.
const { DATABASE_URL, STRIPE_KEY } = process.env;
if (DATABASE_URL === undefined || STRIPE_KEY === undefined)
  throw new Error("DATABASE_URL or STRIPE_KEY is missing");
console.log(`shop: connecting to ${DATABASE_URL}`);
console.log(`shop: database at ${new URL(DATABASE_URL).hostname}, payments ${STRIPE_KEY.slice(0, 8)}`);
