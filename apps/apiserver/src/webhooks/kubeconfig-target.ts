import { readFileSync } from 'node:fs';
import type { LoadedKubeconfig } from '@orrery/client';
import type { HookTarget } from './https-post.js';

/** The server of a kubeconfig as a hook: its URL with the path is what is asked. */
export const toHookTarget = (loaded: LoadedKubeconfig): HookTarget => {
  const { server, ca, cert, key, token, tokenFile, insecureSkipTlsVerify, serverName } = loaded;
  const secret = token ?? (tokenFile ? readFileSync(tokenFile, 'utf8').trim() : undefined);
  return {
    url: server,
    ...(ca ? { ca } : {}),
    ...(cert ? { cert } : {}),
    ...(key ? { key } : {}),
    ...(secret ? { token: secret } : {}),
    ...(insecureSkipTlsVerify ? { insecureSkipTlsVerify } : {}),
    ...(serverName ? { serverName } : {}),
  };
};
