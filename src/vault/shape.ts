// What a value that came from JSON must look like, as strict as records are: an unknown field is a mismatch. Written
// here rather than taken from zod, which costs a launch more than opening ten secrets does; what no launch reads (the
// journal, the audit log's lines) is checked with zod.

/** What is wrong with a value: the field, `""` for the value itself, and why. Never the value. */
export interface Mismatch {
  readonly field: string;
  readonly why: "unexpected" | "unknown-field";
}

const UNEXPECTED: Mismatch = { field: "", why: "unexpected" };
const UNKNOWN_FIELD: Mismatch = { field: "", why: "unknown-field" };

export interface Shape<T> {
  /** Undefined where the value is a `T`. */
  readonly findMismatch: (value: unknown) => Mismatch | undefined;
  readonly isOptional: boolean;
  /** For the compiler alone. */
  readonly holds?: T;
}

interface Optional<T> extends Shape<T> {
  readonly isOptional: true;
}

export type Shaped<S> = S extends Shape<infer T> ? T : never;

type Fields = Readonly<Record<string, Shape<unknown>>>;
type OptionalKeys<F extends Fields> = { [K in keyof F]: F[K] extends Optional<unknown> ? K : never }[keyof F];
type Simplified<T> = { [K in keyof T]: T[K] };
type ObjectOf<F extends Fields> = Simplified<
  { [K in Exclude<keyof F, OptionalKeys<F>>]: Shaped<F[K]> } & { [K in OptionalKeys<F>]?: Shaped<F[K]> }
>;

/** A value that the test accepts, whatever its type. */
export function that<T>(accepts: (value: unknown) => boolean): Shape<T> {
  return { isOptional: false, findMismatch: (value) => (accepts(value) ? undefined : UNEXPECTED) };
}

export function text<T extends string>(accepts: (text: string) => boolean): Shape<T> {
  return that((value) => typeof value === "string" && accepts(value));
}

export function oneOf<const T extends string | number | boolean>(...choices: readonly T[]): Shape<T> {
  return that((value) => choices.includes(value as T));
}

export function optional<T>(shape: Shape<T>): Optional<T> {
  return { ...shape, isOptional: true };
}

/** A value of one of the two shapes. */
export function either<A, B>(first: Shape<A>, second: Shape<B>): Shape<A | B> {
  return {
    isOptional: false,
    findMismatch: (value) =>
      first.findMismatch(value) === undefined ? undefined : second.findMismatch(value),
  };
}

/** @param minimum of elements. */
export function list<T>(element: Shape<T>, minimum: number, maximum = Number.POSITIVE_INFINITY): Shape<T[]> {
  return {
    isOptional: false,
    findMismatch: (value) => {
      if (!Array.isArray(value) || value.length < minimum || value.length > maximum) return UNEXPECTED;
      for (let index = 0; index < value.length; index++) {
        const inner = element.findMismatch(value[index]);
        if (inner !== undefined) return below(`${index}`, inner);
      }
      return undefined;
    },
  };
}

/** An object with exactly these fields; optional ones may be missing. */
export function object<F extends Fields>(fields: F): Shape<ObjectOf<F>> {
  const names = Object.keys(fields);
  return {
    isOptional: false,
    findMismatch: (value) => {
      if (!isObject(value)) return UNEXPECTED;
      for (const name of Object.keys(value)) if (!Object.hasOwn(fields, name)) return UNKNOWN_FIELD;
      for (const name of names) {
        const shape = fields[name];
        const isMissing = !Object.hasOwn(value, name);
        if (shape === undefined || (isMissing && shape.isOptional)) continue;
        const inner = isMissing ? UNEXPECTED : shape.findMismatch(value[name]);
        if (inner !== undefined) return below(name, inner);
      }
      return undefined;
    },
  };
}

/** An object whose every field's name the test accepts and whose every value is of one shape. */
export function dictionary<T>(
  accepts: (name: string) => boolean,
  element: Shape<T>,
): Shape<Record<string, T>> {
  return {
    isOptional: false,
    findMismatch: (value) => {
      if (!isObject(value)) return UNEXPECTED;
      for (const name of Object.keys(value)) {
        if (!accepts(name)) return UNKNOWN_FIELD;
        const inner = element.findMismatch(value[name]);
        if (inner !== undefined) return below(name, inner);
      }
      return undefined;
    },
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** With the name of the part that it was found in before its own. */
function below(name: string, inner: Mismatch): Mismatch {
  return { ...inner, field: inner.field === "" ? name : `${name}.${inner.field}` };
}
