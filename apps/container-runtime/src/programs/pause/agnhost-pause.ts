import type { ProgramContext, RunningProgram } from '../program.js';
import { pause } from './pause.js';

/** What `agnhost pause` does, without a process. */
export function agnhostPause(context: ProgramContext): Promise<RunningProgram> {
  context.log('stdout', 'Paused');
  return pause();
}
