import type { Type } from '@nestjs/common';
import { Controller, Inject } from '@nestjs/common';
import { Ctx, MessagePattern, Payload } from '@nestjs/microservices';
import type { ObjectKey } from '@orrery/apimachinery';
import type { Reconciler, Result } from '../reconciler.js';
import type { WatchContext } from './watch-transport.js';

/** The Nest controller of one reconciler: messages of pattern `name` go to the provider behind `token`. */
export function reconcilerController(name: string, token: symbol): Type {
  @Controller()
  class ReconcilerController {
    constructor(@Inject(token) private readonly reconciler: Reconciler) {}

    @MessagePattern(name)
    reconcile(@Payload() key: ObjectKey, @Ctx() context: WatchContext): Promise<Result> {
      return this.reconciler.reconcile(key, context.signal);
    }
  }
  return ReconcilerController;
}
