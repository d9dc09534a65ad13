// Stands for an agent's program: says who it is, and which of the host's secrets it has.
const SECRETS = ["CRAWL_TOKEN", "MAIL_PASSWORD", "DATABASE_URL"];
const has = SECRETS.filter((name) => process.env[name] !== undefined);
console.log(`uid ${process.getuid()} has ${has.join(" and ")}`);
process.exitCode = has.length > 0 ? 0 : 1;
