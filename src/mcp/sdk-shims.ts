// Stands in the bundle for what the SDK picks by platform (rolldown.config.ts): its own brings a JSON Schema validator along,
// half of the server's size, for answers to forms, which this server never shows.

export const { process } = globalThis;

export class DefaultJsonSchemaValidator {
  getValidator(): never {
    throw new TypeError("no form is shown to anyone");
  }
}
