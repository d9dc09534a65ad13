// What each encoder leaves as it is. They also differ in the case of the digits and in the space.
const LITERAL = {
  component: /[^A-Za-z0-9_.!~*'()-]/g, // encodeURIComponent
  unreserved: /[^A-Za-z0-9_.~-]/g, // RFC 3986: Python's quote_plus, Go, curl
  path: /[^A-Za-z0-9_.~/-]/g, // Python's quote
  form: /[^A-Za-z0-9_.*-]/g, // WHATWG URLSearchParams, Java
};

export function percentForms(bytes: string): string[] {
  const forms: string[] = [];
  for (const encoded of Object.values(LITERAL)) {
    for (const upper of [true, false]) {
      const form = bytes.replace(encoded, (byte) => percent(byte, upper));
      forms.push(form);
      if (bytes.includes(" ")) forms.push(form.replaceAll("%20", "+"));
    }
  }
  return forms;
}

function percent(byte: string, upper: boolean): string {
  const digits = byte.charCodeAt(0).toString(16).padStart(2, "0");
  return `%${upper ? digits.toUpperCase() : digits}`;
}
