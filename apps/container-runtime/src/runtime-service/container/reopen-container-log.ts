import { CriError } from '@orrery/cri';
import type { ReopenContainerLogRequest } from '@orrery/cri';
import type { Runtime } from '../../runtime.js';

export function reopenContainerLog(
  runtime: Runtime,
  { containerId }: ReopenContainerLogRequest,
): object {
  const container = runtime.containers.get(containerId);
  const live = runtime.engine.liveOf(container.id);
  if (!live) throw new CriError('UNKNOWN', 'container is not running');
  live.log.reopen();
  return {};
}
