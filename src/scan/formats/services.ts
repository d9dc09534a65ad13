import { type FormatRule, token } from "./rule.ts";

// Payment, chat, mail and other services, as far as secretlint has no rule or knows fewer of their keys.

const HEX = "[a-f0-9]";
const ALNUM = "[A-Za-z0-9]";
const WORD = "[\\w-]";
const UUID = `${HEX}{8}-(?:${HEX}{4}-){3}${HEX}{12}`;

export const SERVICE_RULES: readonly FormatRule[] = [
  token(
    "stripe",
    "a key of Stripe",
    ["sk_", "rk_", "whsec_"],
    `[sr]k_(?:live|test|prod)_${ALNUM}{10,247}|whsec_[A-Za-z0-9+/]{32,64}={0,2}`,
  ),
  token(
    "square",
    "a token of Square",
    ["sq0", "EAAA"],
    `sq0(?:atp|csp|idp)-${WORD}{22,43}|EAAA${WORD}{56,64}`,
  ),
  token(
    "braintree",
    "a token of Braintree",
    "access_token$",
    `access_token\\$(?:production|sandbox)\\$[a-z0-9]{16}\\$${HEX}{32}`,
  ),
  token("plaid", "a token of Plaid", "access-", `access-(?:sandbox|development|production)-${UUID}`),
  token("razorpay", "a key of Razorpay", "rzp_", `rzp_(?:live|test)_${ALNUM}{14}`),
  token(
    "flutterwave",
    "a key of Flutterwave",
    "FLW",
    `FLW(?:PUBK|SECK)(?:_TEST|_LIVE)?-[a-hA-H0-9]{12,32}(?:-X)?`,
  ),
  token("easypost", "a key of EasyPost", ["EZAK", "EZTK"], `EZ[AT]K${ALNUM}{54}`),
  token("shippo", "a token of Shippo", "shippo_", `shippo_(?:live|test)_[A-Fa-f0-9]{40}`),
  token("duffel", "a token of Duffel", "duffel_", `duffel_(?:test|live)_[\\w=-]{43}`),
  token("frame-io", "a token of Frame.io", "fio-u-", `fio-u-[\\w=-]{64}`),
  token("shopify", "a token of Shopify", "shp", `shp(?:at|ca|pa|ss)_[A-Fa-f0-9]{32}`),
  token(
    "slack",
    "a token of Slack",
    ["xox", "xapp-"],
    `xox[bpoas]-(?:\\d+-){1,3}${ALNUM}{10,}|xox[ar]-(?:\\d-)?${ALNUM}{12,48}|xoxe(?:\\.xox[bp])?-\\d-${ALNUM}{100,}|xapp-\\d-[A-Z0-9]+-\\d+-${ALNUM}+`,
  ),
  token(
    "slack",
    "a webhook of Slack",
    "hooks.slack.com",
    "(?:https?://)?hooks\\.slack\\.com/(?:services|workflows|triggers)/[A-Za-z0-9+/]{43,90}",
  ),
  token(
    "discord",
    "a token of Discord",
    ["MT", "Mz", "ND", "NT", "Nj", "Nz", "OD", "OT", "MD", "Mj"],
    `(?:MT|M[jzD]|N[DTjz]|O[DT])${WORD}{22,24}\\.${WORD}{6}\\.${WORD}{27,38}`,
  ),
  token(
    "discord",
    "a webhook of Discord",
    "/api/webhooks/",
    `https?://(?:\\w+\\.)?discord(?:app)?\\.com/api/webhooks/\\d{17,20}/${WORD}{60,72}`,
  ),
  token(
    "teams",
    "a webhook of Microsoft Teams",
    "webhook.office.com",
    `https://[\\w-]+\\.webhook\\.office\\.com/webhookb2/${UUID}@${UUID}/IncomingWebhook/${HEX}{32}/${UUID}`,
  ),
  token("telegram", "a token of a Telegram bot", ":A", `\\d{5,16}:A${WORD}{34}`),
  token("twilio", "a key of Twilio", "SK", `SK[0-9a-f]{32}`),
  token("mailgun", "a key of Mailgun", ["key-", "pubkey-"], `(?:pub)?key-${HEX}{32}`),
  token("mailchimp", "a key of Mailchimp", "-us", `(?<=(?<![A-Za-z0-9])${HEX}{32})-us\\d{1,2}`),
  token("brevo", "a key of Brevo", "xkeysib-", `xkeysib-${HEX}{64}-${ALNUM}{16}`),
  token("sendgrid", "a key of SendGrid", "SG.", `SG\\.[\\w.=-]{66}`),
  token("facebook", "a token of Facebook", ["EAAM", "EAAC"], `EAA[MC]${ALNUM}{100,400}`),
  token("twitter", "a bearer token of X", "AAAAAAAAAA", `(?<![A-Za-z0-9%])A{22}[A-Za-z0-9%]{80,100}`),
  token("dropbox", "a token of Dropbox", "sl.", `sl\\.(?:u\\.)?${WORD}{130,152}`),
  token("airtable", "a token of Airtable", "pat", `pat${ALNUM}{14}\\.${HEX}{64}`),
  token("notion", "a token of Notion", ["ntn_", "secret_"], `ntn_\\d{11}${ALNUM}{35}|secret_${ALNUM}{43}`),
  token("linear", "a key of Linear", "lin_", `lin_(?:api|oauth)_${ALNUM}{40,64}`),
  token("typeform", "a token of Typeform", "tfp_", `tfp_[\\w.=-]{59}`),
  token("contentful", "a token of Contentful", "CFPAT-", `CFPAT-${WORD}{43}`),
  token("mapbox", "a secret token of Mapbox", "sk.eyJ", `sk\\.eyJ${WORD}{60,120}\\.${WORD}{20,24}`),
  token("maxmind", "a licence key of MaxMind", "_mmk", `${ALNUM}{6}_${ALNUM}{29}_mmk`),
  token("intra42", "a secret of Intra 42", "s-s4t2", `s-s4t2(?:ud|af)-${HEX}{64}`),
  token("adobe", "a secret of Adobe", "p8e-", `p8e-${ALNUM}{32}`),
  token("adafruit", "a key of Adafruit", "aio_", `aio_${ALNUM}{28}`),
  token(
    "1password",
    "a secret key or token of 1Password",
    ["A3-", "ops_eyJ"],
    `A3-[A-Z0-9]{6}-(?:[A-Z0-9]{11}|[A-Z0-9]{6}-[A-Z0-9]{5})-[A-Z0-9]{5}-[A-Z0-9]{5}-[A-Z0-9]{5}|ops_eyJ[A-Za-z0-9+/]{250,}={0,3}`,
  ),
  token("wireguard", "a private key of WireGuard", "PrivateKey", "(?<=PrivateKey ?= ?)[A-Za-z0-9+/]{43}="),
];
