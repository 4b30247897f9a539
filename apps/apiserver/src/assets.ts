import { readFileSync } from 'node:fs';

const url = (name: string): URL => new URL(`./gen/${name}`, import.meta.url);

/** Protobuf fields of gnostic's OpenAPI v2 document, in protobufjs' JSON form. */
export const gnosticDescriptor = (): object =>
  JSON.parse(readFileSync(url('openapi-v2-gnostic.json'), 'utf8')) as object;

/** The same of gnostic's OpenAPI v3 document. */
export const gnosticV3Descriptor = (): object =>
  JSON.parse(readFileSync(url('openapi-v3-gnostic.json'), 'utf8')) as object;

/** Descriptions by definition: '' of the type itself, else of a field. Empty when the build has made none. */
export function descriptions(): Readonly<Record<string, Readonly<Record<string, string>>>> {
  try {
    return JSON.parse(readFileSync(url('descriptions.json'), 'utf8')) as ReturnType<
      typeof descriptions
    >;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw error;
  }
}
