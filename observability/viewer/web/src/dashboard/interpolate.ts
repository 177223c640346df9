/** What stands for a variable in a query. */
export interface Value {
  /** One value, or several where the variable allows it. */
  value: string | string[];
  text: string;
  /** Several values are possible, so that the value is a regular expression in queries. */
  multi: boolean;
  /** A pattern that stands for all values as it is, unescaped. */
  pattern?: string;
}

export type Values = ReadonlyMap<string, Value>;

const reference = /\$\{(\w+)(?::(\w+))?\}|\$(\w+)|\[\[(\w+)(?::(\w+))?\]\]/g;

/**
 * Puts the values of variables into a text: $x, ${x}, ${x:format}, [[x]]. What is
 * no known variable stays as it is. An unknown format is an error.
 */
export function interpolate(text: string, values: Values, format: Format = 'text'): string {
  return text.replace(reference, (match, braced, bracedFormat, bare, square, squareFormat) => {
    const value = values.get(braced ?? bare ?? square);
    const wanted = bracedFormat ?? squareFormat ?? format;
    return value === undefined ? match : formatValue(value, wanted);
  });
}

/** Whether a text names this variable. */
export function refersTo(text: string, name: string): boolean {
  return [...text.matchAll(reference)].some((match) => [match[1], match[3], match[4]].includes(name));
}

const formats = {
  query: (values: string[], value: Value) => (value.multi ? alternatives(values) : escapeString(values[0] ?? '')),
  regex: (values: string[]) =>
    values.length === 1 ? escapeRegex(values[0] ?? '') : `(${values.map(escapeRegex).join('|')})`,
  pipe: (values: string[]) => values.join('|'),
  csv: (values: string[]) => values.join(','),
  raw: (values: string[]) => (values.length === 1 ? (values[0] ?? '') : `{${values.join(',')}}`),
  glob: (values: string[]) => (values.length === 1 ? (values[0] ?? '') : `{${values.join(',')}}`),
  json: (values: string[], value: Value) => JSON.stringify(value.multi ? values : values[0]),
  text: (_: string[], value: Value) => value.text,
  percentencode: (values: string[]) => encodeURIComponent(values.join(',')),
  doublequote: (values: string[]) => values.map((v) => `"${v.replaceAll('"', '\\"')}"`).join(','),
  singlequote: (values: string[]) => values.map((v) => `'${v.replaceAll("'", "\\'")}'`).join(','),
};

export type Format = keyof typeof formats;

function formatValue(value: Value, format: string): string {
  if (!(format in formats)) {
    throw new Error(`the format "${format}" of a variable is not known here`);
  }
  if (value.pattern !== undefined && format !== 'text') {
    return value.pattern;
  }
  return formats[format as Format]([value.value].flat(), value);
}

function alternatives(values: string[]): string {
  const escaped = values.map((value) => escapeString(escapeRegex(value)));
  return escaped.length === 1 ? (escaped[0] ?? '') : `(${escaped.join('|')})`;
}

function escapeRegex(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}

/** For a place between double quotes of PromQL. */
function escapeString(text: string): string {
  return text.replace(/["\\]/g, '\\$&');
}
