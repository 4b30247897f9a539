import type { CelType } from './type.js';
import { celTypes, listOf, mapOf, opaque, optionalOf } from './type.js';

/** Types of the Kubernetes libraries, by the names that signatures use. */
export const LIBRARY_TYPES: Readonly<Record<string, string>> = {
  URL: 'kubernetes.URL',
  IP: 'net.IP',
  CIDR: 'net.CIDR',
  Quantity: 'kubernetes.Quantity',
  Semver: 'kubernetes.Semver',
  Format: 'kubernetes.NamedFormat',
  Authorizer: 'kubernetes.authorization.Authorizer',
  PathCheck: 'kubernetes.authorization.PathCheck',
  GroupCheck: 'kubernetes.authorization.GroupCheck',
  ResourceCheck: 'kubernetes.authorization.ResourceCheck',
  Decision: 'kubernetes.authorization.Decision',
};

export interface Signature {
  readonly name: string;
  /** The receiver is the first argument. */
  readonly member: boolean;
  readonly args: readonly CelType[];
  readonly result: CelType;
}

/** Splits at commas that are not inside brackets. */
function splitTop(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '(') depth += 1;
    else if (text[i] === ')') depth -= 1;
    else if (text[i] === ',' && depth === 0) {
      parts.push(text.slice(from, i));
      from = i + 1;
    }
  }
  parts.push(text.slice(from));
  return parts.map((part) => part.trim()).filter((part) => part !== '');
}

function parseType(text: string): CelType {
  const match = /^(\w+)\((.*)\)$/.exec(text);
  if (match) {
    const [first = celTypes.dyn, second = celTypes.dyn] = splitTop(match[2] ?? '').map(parseType);
    if (match[1] === 'list') return listOf(first);
    if (match[1] === 'map') return mapOf(first, second);
    if (match[1] === 'optional') return optionalOf(first);
    return { kind: 'type', of: first };
  }
  if (/^[A-Z]$/.test(text)) return { kind: 'param', name: text };
  if (Object.hasOwn(celTypes, text)) return celTypes[text as keyof typeof celTypes];
  if (text === 'type') return { kind: 'type' };
  return opaque(LIBRARY_TYPES[text] ?? text);
}

/** Length of the receiver in `list(string).join(string): string`; 0 when there is none. */
function receiverEnd(head: string): number {
  let depth = 0;
  for (let i = 0; i < head.length; i++) {
    if (head[i] === '(') depth += 1;
    else if (head[i] === ')') depth -= 1;
    else if (head[i] === '.' && depth === 0) return i;
  }
  return 0;
}

/** Reads `string.contains(string): bool` or `size(list(T)): int`. `::` before a name keeps its dots: `::ip.isCanonical(string): bool`. */
export function parseSignature(text: string): Signature {
  const colon = text.lastIndexOf(': ');
  const result = parseType(text.slice(colon + 2).trim());
  const head = text.slice(0, colon).trim();
  const isGlobal = head.startsWith('::');
  const end = isGlobal ? 0 : receiverEnd(head);
  const call = isGlobal ? head.slice(2) : end === 0 ? head : head.slice(end + 1);
  const open = call.indexOf('(');
  const args = splitTop(call.slice(open + 1, -1)).map(parseType);
  const receiver = end === 0 ? [] : [parseType(head.slice(0, end))];
  return { name: call.slice(0, open), member: end > 0, args: [...receiver, ...args], result };
}
