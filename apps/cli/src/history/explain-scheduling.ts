import { ConfigError } from '@orrery/component';
import { parseSubject } from './resource-names.js';
import type { ConnectionFlags } from './history-flags.js';
import { asConfigError, loadConnection } from './history-server.js';

const POD_NAMES = ['pod', 'pods', 'po'];

/** `orrery explain pod/NAME --scheduling`: each scheduler plugin's verdict and score per node, as of now. Throws ConfigError. */
export async function explainPodScheduling(
  words: readonly string[],
  flags: ConnectionFlags & { readonly output: string },
): Promise<string> {
  const [type, name] = parseSubject(words, 'explain');
  if (!POD_NAMES.includes(type))
    throw new ConfigError(`--scheduling explains pods, not ${type}/${name}`);
  if (flags.output !== 'text' && flags.output !== 'json')
    throw new ConfigError(`--scheduling is shown as text or json, not as ${flags.output}`);
  const { explainScheduling, renderExplanation } = await import('@orrery/scheduler');
  const connection = loadConnection(flags, process.env);
  const namespace = flags.namespace || connection.namespace;
  const explanation = await explainScheduling(connection, { name, namespace }).catch(
    (error: unknown) => {
      throw asConfigError(error);
    },
  );
  return flags.output === 'json'
    ? JSON.stringify(explanation, null, 2)
    : renderExplanation(explanation).trimEnd();
}
