import { parseFlags } from '@orrery/component';
import type { ComponentApp } from '@orrery/component';
import { RelayFlags } from './relay-flags.js';
import { relay } from './relay.js';

export const app: ComponentApp = {
  name: 'relay',
  run: (argv, { signal }) => relay(parseFlags(RelayFlags, argv, 'orrery relay'), signal),
};
