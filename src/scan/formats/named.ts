import type { Match } from "../match.ts";
import { isRandom } from "./rule.ts";

// Keys without a form of their own, told by the service that their name names: `MISTRAL_API_KEY=…`, `"datadogToken": "…"`.
// A name that names no service says too little: most of what is called a token or a key is none.

/** What the name of a key ends in, how it is given a value, and the value. Case means nothing in it. */
const ASSIGNED =
  /(?:key|token|secret|password|passwd|auth|sid|client_?id)s?["'`\]\\]{0,4}(?: ?: ?string| string)?\s{0,3}(?:=>|:{1,3}=|\|\||[.?+]?=|:|,|>)\s{0,12}["'`\\]{0,4}([\w+/=.~:-]{16,256})(?![\w+/=-])/dgi;
/** How far before such an end a name may begin. */
const NAME_CHARACTERS = 48;

const SERVICES =
  "adafruit adobe ai21 airtable algolia alibaba anyscale artifactory asana atlassian aws azure beamer bintray bitbucket bittrex checkout cloudflare cloudinary codecov cohere coinbase confluence confluent contentful databricks datadog deepgram deepinfra discord dropbox droneci dynatrace etsy facebook fastly figma finicity finnhub flickr freemius freshbooks ghost gitlab github gitter gocardless grafana harness heroku hubspot infracost instagram intercom jfrog jira kraken kucoin launchdarkly linear linkedin lob looker mailchimp mailgun mandrill mapbox mattermost meraki messagebird mistral moonshot netlify newrelic notion nytimes okta openai opsgenie pagerduty paypal plaid postmark pusher rapidapi replicate rollbar segment sendbird sendgrid sentry shopify slack snyk sonar square squarespace stability statuspage stripe sumo telegram together travis trello twilio twitch twitter typeform vercel vonage yandex zendesk zoom".split(
    " ",
  );
const TYPE = "string";
const MARK = /["'`\]\\\s=:|>,.?+]/;
/** Too short to be looked for in a name: the whole of it. */
const WHOLE_NAMES = ["coapi"];

export function findNamed(text: string): Match[] {
  const found: Match[] = [];
  for (const match of text.matchAll(ASSIGNED)) {
    const [start, end] = match.indices?.[1] ?? [match.index, match.index];
    const service = serviceIn(text.slice(Math.max(0, match.index - NAME_CHARACTERS), start));
    if (service === undefined || !isKey(text.slice(start, end))) continue;
    found.push({ rule: "named-key", what: `what is named a key of ${service}`, start, end });
  }
  return found;
}

/** @param before what stands before a value, up to and with what its name ends in. */
function serviceIn(before: string): string | undefined {
  const name = /[\w .$-]*$/.exec(withoutAssignment(before))?.[0] ?? "";
  const plain = name.toLowerCase().replaceAll(/[^a-z0-9]/g, "");
  return (
    SERVICES.find((service) => plain.includes(service)) ??
    WHOLE_NAMES.find((whole) => plain === `${whole}key`)
  );
}

/** Without what gives a name its value, and a type between. By hand: an expression tries each place anew, for each of many. */
function withoutAssignment(text: string): string {
  const bare = withoutMarks(text);
  const untyped = bare.endsWith(TYPE) ? bare.slice(0, -TYPE.length) : bare;
  const name = withoutMarks(untyped);
  return name.length < untyped.length ? name : bare;
}

function withoutMarks(text: string): string {
  let end = text.length;
  while (end > 0 && MARK.test(text[end - 1] ?? "")) end--;
  return text.slice(0, end);
}

/** Not a name, an address, a version or a digest's label. */
function isKey(value: string): boolean {
  if (!isRandom(value) || value.includes("://") || /^(?:0x|sha\d+[-:])/.test(value)) return false;
  const digits = value.replaceAll(/\D/g, "").length;
  return (
    digits >= 2 &&
    (digits < value.length || value.length <= 24) &&
    !/^[A-Za-z]+(?:[-_.][A-Za-z]+)*\d{0,4}$/.test(value)
  );
}
