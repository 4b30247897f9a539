/** The `orrery` program as a component. */
import type { ComponentApp } from '@orrery/component';
import { program } from './program.js';

export const app: ComponentApp = {
  name: 'orrery',
  run: (argv, { signal }) =>
    program(argv, signal, (text) => {
      process.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
    }),
};
