import type { Call } from './call.js';
import { createCallOf } from './call.js';
import { readNewObject } from './read-body.js';
import { sendObject } from './respond.js';

/** POST of a collection. */
export async function create(call: Call): Promise<void> {
  const options = createCallOf(call, 'CreateOptions');
  const made = await call.resource.store.create(await readNewObject(call), options);
  await sendObject(call, made, 201);
}
