/** The gRPC codes that a CRI server answers with, and their numbers. */
export const CRI_CODES = {
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const;

export type CriCode = keyof typeof CRI_CODES;

/** The one error of both sides of the CRI; `message` is the server's text without gRPC's prefix. */
export class CriError extends Error {
  constructor(
    readonly code: CriCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'CriError';
  }
}

export const isNotFound = (error: unknown): boolean => hasCode(error, 'NOT_FOUND');
export const isUnavailable = (error: unknown): boolean => hasCode(error, 'UNAVAILABLE');
export const isUnimplemented = (error: unknown): boolean => hasCode(error, 'UNIMPLEMENTED');

function hasCode(error: unknown, code: CriCode): boolean {
  return error instanceof CriError && error.code === code;
}

/** As client-go prints it, for events and logs: `rpc error: code = NotFound desc = …`. */
export function toRpcText(error: CriError): string {
  const code = error.code
    .toLowerCase()
    .replace(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return `rpc error: code = ${code} desc = ${error.message}`;
}

/** The code of a gRPC status number; UNKNOWN for none of ours. */
export function toCriCode(status: number | undefined): CriCode {
  const found = Object.entries(CRI_CODES).find(([, number]) => number === status)?.[0];
  return (found ?? 'UNKNOWN') as CriCode;
}
