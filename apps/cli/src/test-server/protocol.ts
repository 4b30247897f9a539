import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

/**
 * What the library in a test says to the test server: one JSON document a line, answered by id in any order.
 *
 *   -> {"id":1,"method":"create","params":{"nodes":1}}
 *   <- {"id":1,"result":{"cluster":"1","kubeconfig":"…"}}  or  {"id":1,"error":"text for the user"}
 */
export interface TestRequest {
  readonly id: number;
  readonly method: string;
  readonly params?: unknown;
}

export type TestMethod = (params: Readonly<Record<string, unknown>>) => Promise<unknown>;

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function parseRequest(line: string): TestRequest | undefined {
  try {
    const value: unknown = JSON.parse(line);
    if (isRecord(value) && typeof value['id'] === 'number' && typeof value['method'] === 'string')
      return { id: value['id'], method: value['method'], params: value['params'] };
  } catch {
    // Not a line of ours.
  }
  return undefined;
}

/** Answers requests until the input ends, which it does when the test's process ends, however it ends. */
export async function answerRequests(
  input: Readable,
  output: Writable,
  methods: ReadonlyMap<string, TestMethod>,
): Promise<void> {
  const answer = (id: number | null, outcome: object): void => {
    output.write(`${JSON.stringify({ id, ...outcome })}\n`);
  };
  // A test that has gone reads no more answers.
  output.on('error', () => undefined);
  for await (const line of createInterface({ input })) {
    const request = parseRequest(line);
    const method = request && methods.get(request.method);
    if (!request) answer(null, { error: `not a request: ${line.slice(0, 100)}` });
    else if (!method) answer(request.id, { error: `unknown method ${request.method}` });
    else
      method(isRecord(request.params) ? request.params : {}).then(
        (result) => {
          answer(request.id, { result: result ?? null });
        },
        (error: unknown) => {
          answer(request.id, { error: error instanceof Error ? error.message : String(error) });
        },
      );
  }
}
