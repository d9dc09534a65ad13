// What each encoder escapes. They also differ in the case of the digits and in the space.
const ESCAPED = [
  /[^A-Za-z0-9_.!~*'()-]/g, // encodeURIComponent
  /[^A-Za-z0-9_.~-]/g, // RFC 3986: Python's quote_plus, Go's queries, curl, PHP's rawurlencode
  /[^A-Za-z0-9_.~/-]/g, // Python's quote
  /[^A-Za-z0-9_.*-]/g, // WHATWG URLSearchParams, Java
  /[^A-Za-z0-9_.-]/g, // PHP's urlencode
  /[^A-Za-z0-9_.!~*'();,/?:@&=+$#-]/g, // encodeURI
  /[^A-Za-z0-9_.~!$&'()*+,;=-]/g, // RFC 3986 with the delimiters that may stay
  /[^A-Za-z0-9_.~$&+,;=-]/g, // Go, user info
  /[^A-Za-z0-9_.~$&+=:@-]/g, // Go, a segment of a path
  /[^A-Za-z0-9_.~$&+,/:;=@-]/g, // Go, a path
  /[^\x21-\x7e]|["#<>?`{}/:;=@[\\\]^|]/g, // WHATWG URL, user info
  /[^\x21-\x7e]|["#<>?^`{}]/g, // WHATWG URL, path
  /[^\x21-\x7e]|["#<>']/g, // WHATWG URL, query
  /[^\x21-\x7e]|["#<>]/g, // the same of another scheme than http
  /[^A-Za-z0-9_.!~*()-]/g, // encodeURIComponent, in that query
  /[^\x21-\x7e]|["<>`]/g, // WHATWG URL, fragment
];

export function percentForms(bytes: string): string[] {
  const upper = new Set(ESCAPED.map((escaped) => bytes.replace(escaped, percent)));
  upper.delete(bytes);
  const forms = [...upper].flatMap((form) => [form, form.replace(/%../g, (code) => code.toLowerCase())]);
  if (!bytes.includes(" ")) return forms;
  return [...forms, ...forms.map((form) => form.replaceAll("%20", "+")), bytes.replaceAll(" ", "+")];
}

function percent(byte: string): string {
  return `%${byte.charCodeAt(0).toString(16).padStart(2, "0").toUpperCase()}`;
}
