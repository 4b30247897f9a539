import { parentPort } from 'node:worker_threads';
import { DecodeError, StatusError, decodeYaml } from '@orrery/apimachinery';
import type { DecodeAnswer, DecodeJob } from './decode-aside.js';

/** The entry of a thread that decodes YAML: text in, JSON out. */
function answer({ id, body }: DecodeJob): DecodeAnswer {
  try {
    return { id, json: JSON.stringify(decodeYaml(body).value) };
  } catch (error) {
    if (error instanceof StatusError) return { id, status: error.status };
    if (error instanceof DecodeError) return { id, refused: error.message };
    return { id, failed: error instanceof Error ? error.message : String(error) };
  }
}

parentPort?.on('message', (job: DecodeJob) => {
  parentPort?.postMessage(answer(job));
});
