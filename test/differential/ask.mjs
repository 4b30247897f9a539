// One request to one side, and the same request to both.
import https from 'node:https';
import { TOKEN } from '../../bench/api/servers.mjs';

export const AT_ONCE = 8;
/** After which an answer that goes on is cut off: watches of scenarios ask for a second. */
const LONGEST_MS = 4000;
const agent = new https.Agent({ keepAlive: true, maxSockets: AT_ONCE });

/** `body`: an object, sent as JSON, or the text itself. Answers status, headers, text, and json where the text is JSON. */
export async function ask(
  { host },
  method,
  path,
  body,
  { type = 'application/json', accept = 'application/json' } = {},
) {
  const headers = { authorization: `Bearer ${TOKEN}`, accept };
  const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
  if (text !== undefined)
    Object.assign(headers, { 'content-type': type, 'content-length': Buffer.byteLength(text) });
  const options = { host, port: 6443, method, path, headers, agent, rejectUnauthorized: false };
  const { response, text: heard } = await hear(options, text);
  const { statusCode: status = 0, headers: told = {} } = response ?? {};
  const isJson = told['content-type']?.startsWith('application/json');
  const isOne = isJson && heard.startsWith('{') && !isStream(heard);
  return {
    status,
    headers: told,
    text: heard,
    json: isOne ? JSON.parse(heard) : { message: heard },
  };
}

/** The answer as far as it comes within LONGEST_MS, and why it ends where it is cut off. */
async function hear(options, body) {
  const signal = AbortSignal.timeout(LONGEST_MS);
  const parts = [];
  let response;
  try {
    response = await new Promise((resolve, reject) => {
      https
        .request({ ...options, signal }, resolve)
        .on('error', reject)
        .end(body);
    });
    for await (const chunk of response) parts.push(chunk);
  } catch (error) {
    const text = signal.aborted ? `not ended after ${LONGEST_MS} ms` : error.message;
    parts.push(Buffer.from(`\n${text}`));
  }
  return { response, text: Buffer.concat(parts).toString() };
}

/** A watch: several documents, a line each; or what was cut off. */
const isStream = (text) => /^\{"type":|not ended after \d+ ms$/.test(text);

export const bothSides = (sides, ...request) =>
  Promise.all(sides.map((side) => ask(side, ...request)));

export const hangUp = () => {
  agent.destroy();
};
