import type { IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { HookError, connectionFailure } from './https-post.js';

const LIMIT = 1024 * 1024;
const TIMEOUT_MS = 10_000;

/** JSON at an https URL; follows no redirect. Throws HookError. */
export async function getJson(url: string, ca?: string): Promise<Record<string, unknown>> {
  const { host } = new URL(url);
  let answer: IncomingMessage;
  try {
    answer = await new Promise((resolve, reject) => {
      const asking = httpsRequest(url, {
        agent: false,
        signal: AbortSignal.timeout(TIMEOUT_MS),
        headers: { accept: 'application/json' },
        ...(ca ? { ca } : {}),
      });
      asking.once('response', resolve);
      asking.once('error', reject);
      asking.end();
    });
  } catch (error) {
    throw new HookError(`Get "${url}": ${connectionFailure(error, host)}`, { cause: error });
  }
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > LIMIT) throw new HookError(`Get "${url}": the answer is too large`);
    chunks.push(chunk);
  }
  if (answer.statusCode !== 200) throw new HookError(`Get "${url}": status ${answer.statusCode}`);
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8')) as Record<string, unknown>;
  } catch (error) {
    throw new HookError(`Get "${url}": the answer is no JSON`, { cause: error });
  }
}
