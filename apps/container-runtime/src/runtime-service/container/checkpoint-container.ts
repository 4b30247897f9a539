import { CriError } from '@orrery/cri';

export function checkpointContainer(): never {
  throw new CriError('UNIMPLEMENTED', 'method CheckpointContainer not implemented');
}
