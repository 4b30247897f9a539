import { parentPort } from 'node:worker_threads';
import { DecodeError, StatusError, decodeYaml, encodeYaml } from '@orrery/apimachinery';
import type { DecodeAnswer, DecodeJob } from './decode-aside.js';

const text = ({ buffer, byteOffset, byteLength }: Uint8Array): string =>
  Buffer.from(buffer, byteOffset, byteLength).toString();

/** The entry of a thread that decodes YAML (text in, JSON out), says what it repeats, and encodes it. */
function answer({ id, body, isJson, findRepeated = false }: DecodeJob): DecodeAnswer {
  try {
    if (isJson) return { id, yaml: encodeYaml(JSON.parse(text(body))) };
    const { value, repeatedKeys } = decodeYaml(body, { findRepeated });
    return { id, json: JSON.stringify(value), repeated: repeatedKeys };
  } catch (error) {
    if (error instanceof StatusError) return { id, status: error.status };
    if (error instanceof DecodeError) return { id, refused: error.message };
    return { id, failed: error instanceof Error ? error.message : String(error) };
  }
}

parentPort?.on('message', (job: DecodeJob) => {
  parentPort?.postMessage(answer(job));
});
