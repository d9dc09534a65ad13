// A tool: logs in at the mail server, by CRAM-MD5, which proves the password without sending it.
import { createHmac } from "node:crypto";

const [challenge] = process.argv.slice(2);
const proof = createHmac("md5", process.env.MAIL_PASSWORD).update(challenge).digest("hex");
console.log(JSON.stringify({ login: `agent@example.org ${proof}` }));
