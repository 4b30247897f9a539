/** Header by which a client says what its write reacts to: `revision=45; controller=replicaset`. */
export const REACTION_HEADER = 'orrery-cause';

/** What a client says that a request reacts to. */
export interface Reaction {
  /** resourceVersion of the newest event that made the client act. */
  readonly revision?: number;
  /** Which part of the client decided. */
  readonly controller?: string;
  /** Why, in a few words. */
  readonly reason?: string;
}

const LONGEST_HEADER = 512;
const TOKEN = /^[\w./-]{1,64}$/;
const LONGEST_REASON = 128;

/** The header's value; undefined = there is nothing to say. */
export function formatReaction({ revision, controller, reason }: Reaction): string | undefined {
  const parts: string[] = [];
  if (revision !== undefined) parts.push(`revision=${revision}`);
  if (controller && TOKEN.test(controller)) parts.push(`controller=${controller}`);
  if (reason) parts.push(`reason=${encodeURIComponent(reason.slice(0, LONGEST_REASON))}`);
  return parts.length === 0 ? undefined : parts.join('; ');
}

type Parser = (value: string) => Reaction | undefined;

const PARSERS: Readonly<Record<string, Parser>> = {
  revision: (value) => {
    const revision = Number(value);
    const isOne = /^\d+$/.test(value) && Number.isSafeInteger(revision) && revision > 0;
    return isOne ? { revision } : undefined;
  },
  controller: (value) => (TOKEN.test(value) ? { controller: value } : undefined),
  reason: (value) => {
    const reason = decode(value);
    const isText = reason !== undefined && reason.length > 0 && reason.length <= LONGEST_REASON;
    // No control characters: the text is shown on terminals.
    return isText && /^\P{C}+$/u.test(reason) ? { reason } : undefined;
  },
};

function decode(value: string): string | undefined {
  try {
    return decodeURIComponent(value);
  } catch {
    return undefined;
  }
}

/** Reads the header's value; undefined = it is malformed, and nothing of it counts. */
export function parseReaction(header: string): Reaction | undefined {
  if (header.length > LONGEST_HEADER) return undefined;
  let reaction: Reaction = {};
  for (const part of header.split(';')) {
    const [name = '', value = ''] = part.trim().split('=', 2);
    const parsed = Object.hasOwn(PARSERS, name) ? PARSERS[name]?.(value) : undefined;
    if (!parsed) return undefined;
    reaction = { ...reaction, ...parsed };
  }
  return reaction;
}
