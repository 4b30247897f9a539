import type { KubeObject } from '@orrery/apimachinery';
import { removedRequestKinds } from '@orrery/api';
import type { RequestKindHandler } from '../subresources.js';

/** Handlers for the removed versions of what others answer: those are asked, and their answer is brought back. */
export const removedRequestHandlers = (
  current: readonly RequestKindHandler[],
): RequestKindHandler[] =>
  removedRequestKinds.flatMap((kind) =>
    current
      .filter((handler) => handler.kind === kind.hub)
      .map((handler) => ({
        kind,
        handle: async ({ body, ...rest }) => {
          const answer = await handler.handle({ ...rest, body: kind.toHub(body) });
          return kind.fromHub(answer as KubeObject);
        },
      })),
  );
